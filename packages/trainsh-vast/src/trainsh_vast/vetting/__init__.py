"""Checks whether a machine is as good as its offer said, and remembers the machines that were not.

This subpackage imports `rented` and `api`.
"""
