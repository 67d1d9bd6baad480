"""Checks whether a machine is as good as its offer, and remembers the machines that are worse.

This subpackage imports `rented` and `api`.
"""
