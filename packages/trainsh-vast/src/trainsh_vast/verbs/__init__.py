"""The work of the commands and verbs: pick, create, start, wait, stop, cost.

This subpackage may import all other subpackages.
"""
