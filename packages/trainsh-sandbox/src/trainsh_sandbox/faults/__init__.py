"""Switches that make the sandbox fail as the real service does. Imports nothing of ours."""
