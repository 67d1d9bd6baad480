"""What providers of machines share: the rows of `list`, the lock for a rental, retries until a change shows."""
