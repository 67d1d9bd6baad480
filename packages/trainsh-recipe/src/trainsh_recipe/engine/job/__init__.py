"""A job up to its first step: source and overrides, lock, detaching, dry run."""
