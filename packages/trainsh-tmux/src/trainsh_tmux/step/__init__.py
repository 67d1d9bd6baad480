"""One step: sent once, followed to its end, its status asked for. Imports `session`, `log` and `remote`."""
