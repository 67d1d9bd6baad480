"""Findings and diagnostics: their codes, and how they are printed.

This subpackage imports `text` and the layers below `text`.
"""
