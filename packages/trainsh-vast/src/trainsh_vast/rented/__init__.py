"""Rented instances: rows, states, labels, ssh targets. Imports `api` and `model`."""
