"""Listing, showing and testing hosts. May import `ways` and `store`."""
