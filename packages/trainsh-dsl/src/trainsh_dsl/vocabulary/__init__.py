"""The words a recipe may use: values, options, specs, the verbs of tools. Imports `diagnostics` and below."""
