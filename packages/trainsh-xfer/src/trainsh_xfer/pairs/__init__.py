"""Routes from a source to a destination, and the attempts over a route.

This subpackage may import all other subpackages.
"""
