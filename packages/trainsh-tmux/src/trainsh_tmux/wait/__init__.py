"""Waits for a file, a port, idleness or a pattern. Imports `session`, `log` and `remote`; never `step`."""
