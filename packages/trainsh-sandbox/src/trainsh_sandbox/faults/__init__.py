"""Faults that make the sandbox fail as the real service does. Imports no other subpackage."""
