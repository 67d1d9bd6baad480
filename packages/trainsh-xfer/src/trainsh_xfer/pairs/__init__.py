"""The routes between two places, by their pair of machines, and the attempts over one. Imports all other rooms."""
