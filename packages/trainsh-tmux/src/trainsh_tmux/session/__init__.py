"""Sessions: open, reclaim and list them, and follow the log of one that is open.
This subpackage imports `log` and `remote`.
"""
