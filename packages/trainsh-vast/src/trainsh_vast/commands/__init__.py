"""The commands of train-vast. Each module declares some; `cli` imports them in the order of the help."""
