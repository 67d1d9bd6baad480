"""Runs a tool, and checks that it follows the rules in docs/providers.md."""
