"""The files of a host: a listing, and a screen to browse them. May import `ways`."""
