"""What a recipe may contain: values, options, specs, the verbs of tools. Imports `diagnostics` and below."""
