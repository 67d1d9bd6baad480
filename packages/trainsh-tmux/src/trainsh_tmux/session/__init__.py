"""Opens, reclaims and lists sessions, and follows the log of a session that is open.
This subpackage imports `log` and `remote`.
"""
