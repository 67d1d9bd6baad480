"""What is done for a job before its first step: source and overrides, lock, detaching, dry run, estimate."""
