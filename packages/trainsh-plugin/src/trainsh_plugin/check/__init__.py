"""Checks a running tool against the contract in docs/providers.md."""
