"""The files of a host: a listing, and a screen to walk through them. May import `ways`."""
