"""A recipe in canonical form. Imports `grammar` and below."""
