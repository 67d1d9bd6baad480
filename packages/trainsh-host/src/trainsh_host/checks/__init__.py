"""Hosts listed, shown and tested. May import `ways` and `store`."""
