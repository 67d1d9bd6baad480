"""The package's answers as data: plan (with its JSON Schema), diagnostics, graph. Imports no other subpackage."""
