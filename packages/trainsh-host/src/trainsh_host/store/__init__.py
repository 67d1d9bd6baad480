"""Reads and changes hosts.toml. Imports `model` only."""
