"""Reads a recipe into statements (`syntax`), one mistake at a time. Imports `vocabulary` and below."""
