"""What commands and recipes do: pick, create, start, wait, stop, cost. Imports all other subpackages."""
