"""What commands and recipes do: pick, create, start, wait, stop, cost.

This subpackage may import all other subpackages.
"""
