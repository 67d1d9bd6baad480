"""Rented instances: their rows, states, labels and ssh targets.

This subpackage imports `api` and `model`.
"""
