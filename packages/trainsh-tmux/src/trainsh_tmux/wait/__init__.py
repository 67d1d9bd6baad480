"""Waits for a file, a port, idleness or a pattern.

This subpackage imports `session`, `log` and `remote`, but never `step`.
"""
