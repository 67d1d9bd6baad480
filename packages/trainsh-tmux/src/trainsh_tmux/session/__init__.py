"""Sessions: open, reclaim and list them, and follow the log of one that is open. Imports `log` and `remote`."""
