"""Checks that look at more than one statement: of sessions, hosts, names and rentals.

This subpackage imports `grammar` and the layers below `grammar`.
"""
