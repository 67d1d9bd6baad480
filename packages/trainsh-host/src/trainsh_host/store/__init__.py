"""Reads and changes hosts.toml.

This subpackage imports only `model`.
"""
