"""Opens, reclaims and lists sessions, and follows the log of an open session.

This subpackage imports `log` and `remote`.
"""
