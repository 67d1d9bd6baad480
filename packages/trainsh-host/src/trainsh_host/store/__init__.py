"""The file hosts.toml: its hosts, read and changed. Imports `model` only."""
