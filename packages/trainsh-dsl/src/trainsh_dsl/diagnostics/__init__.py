"""Findings and diagnostics: their codes, and how they are printed. Imports `text` and below."""
