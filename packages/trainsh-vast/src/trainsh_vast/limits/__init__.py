"""Limits that a machine keeps by itself: the watchdog on it, and how it is armed. Imports `rented` and `api`."""
