"""Checks that need more than one statement: sessions, hosts, names and rentals. Imports `grammar` and below."""
