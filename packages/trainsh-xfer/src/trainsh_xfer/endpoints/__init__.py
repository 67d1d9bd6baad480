"""Endpoints (the two sides of a transfer): parsing, resolving to a host and path, local paths, and checks for
unsafe copies.

This subpackage imports only `model`.
"""
