"""Forwards ports of hosts to this machine, reconnects after a lost connection, and keeps the list of forwards.

This subpackage may import `ways`.
"""
