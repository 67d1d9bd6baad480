"""Runs a step: sends it once, follows it to its end, asks for its status. Imports `session`, `log` and `remote`."""
