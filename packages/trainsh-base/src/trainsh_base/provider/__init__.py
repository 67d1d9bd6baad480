"""Shared by providers of machines: the row of `list`, the lock for a rental, retries until a change shows."""
