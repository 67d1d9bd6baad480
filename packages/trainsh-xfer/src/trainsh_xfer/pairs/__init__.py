"""Routes from source to destination, and the attempts over a route. Imports all other subpackages."""
