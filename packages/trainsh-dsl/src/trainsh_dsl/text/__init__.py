"""The text of a recipe: offsets, lines, and commands as a shell reads them. Imports `document`."""
