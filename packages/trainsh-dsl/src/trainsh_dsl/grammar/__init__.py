"""Reads a recipe into the statements of `syntax`. An error affects only the statement that contains it.

This subpackage imports `vocabulary` and the layers below `vocabulary`.
"""
