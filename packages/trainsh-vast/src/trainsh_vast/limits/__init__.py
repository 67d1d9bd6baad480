"""Limits that a machine enforces by itself: the watchdog on the machine, and how the watchdog is armed.

This subpackage imports `rented` and `api`.
"""
