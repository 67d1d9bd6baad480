"""The plan as train-dsl prints it, and the numbers of its steps. Imports nothing else of this package."""
