"""The text of a recipe: offsets, lines, and commands as a shell reads them.

This subpackage imports `document` only.
"""
