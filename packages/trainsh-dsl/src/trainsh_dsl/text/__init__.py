"""The text of a recipe: places in it, its lines, commands as a shell reads them. Imports `document`."""
