"""Limits that a machine enforces by itself. A watchdog, which is a program on the machine, stops the machine.

This subpackage imports `rented` and `api`.
"""
