"""train-plugin: write your own tools, check them against docs/providers.md, list providers."""
