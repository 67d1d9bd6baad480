"""What train-host resolved, for the programs that ask for it again."""
