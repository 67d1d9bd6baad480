"""The documents that the package returns: plan (with its JSON Schema), diagnostics, graph.

This subpackage imports no other subpackage.
"""
