"""Faults that make the sandbox fail as the real service does.

This subpackage imports no other subpackage.
"""
