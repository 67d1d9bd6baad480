"""Runs a step: sends it to its session, follows it to its end, and asks for its status.

This subpackage imports `session`, `log` and `remote`.
"""
