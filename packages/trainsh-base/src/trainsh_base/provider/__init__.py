"""What providers of machines share: the row of `list`, the lock of a rental, changes that must be seen."""
