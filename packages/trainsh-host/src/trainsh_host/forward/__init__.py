"""Ports of hosts on this machine: forwards that reconnect, and the list of them. May import `ways`."""
