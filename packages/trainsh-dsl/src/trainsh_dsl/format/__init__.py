"""Writes a recipe in canonical form.

This subpackage imports `grammar` and the layers below `grammar`.
"""
