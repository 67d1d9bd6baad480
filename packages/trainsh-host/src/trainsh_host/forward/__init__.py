"""Forwards ports of hosts to this machine and reconnects; keeps the list of forwards. May import `ways`."""
