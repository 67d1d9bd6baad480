"""Lists, shows and tests hosts.

This subpackage may import `ways` and `store`.
"""
