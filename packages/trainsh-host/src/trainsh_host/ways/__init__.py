"""Resolves a name or spec to a target, and runs one command on it. May import `store`."""
