"""The documents that the package returns: plan (with its JSON Schema), diagnostics, graph.

Imports no other subpackage.
"""
