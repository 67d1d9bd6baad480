"""What commands and recipes do: pick, create, start, wait, stop, cost. Imports every other subpackage."""
