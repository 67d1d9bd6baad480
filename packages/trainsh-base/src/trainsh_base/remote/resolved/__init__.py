"""The answers of train-host that are kept for programs that need them again."""
