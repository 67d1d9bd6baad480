"""Resolves a name or spec to a target, and runs one command on a target.

This subpackage may import `store`.
"""
