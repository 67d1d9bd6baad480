"""What providers of machines share: the rows of `list`, the lock for a rental, and retries until a change is
visible.
"""
