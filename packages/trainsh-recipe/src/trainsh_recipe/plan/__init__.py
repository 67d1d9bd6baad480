"""Reads the plan that train-dsl prints, and numbers its steps. Imports nothing else of this package."""
