"""Reads a recipe into statements (`syntax`). An error affects one statement. Imports `vocabulary` and below."""
