"""Reads a recipe into statements (`syntax`). An error costs one statement. Imports `vocabulary` and below."""
