"""What a recipe may contain: values, options, specs, and the verbs of tools.

This subpackage imports `diagnostics` and the layers below `diagnostics`.
"""
