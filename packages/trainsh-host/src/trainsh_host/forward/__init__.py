"""Forwards ports of hosts to this machine, reconnects when needed, and keeps the list of forwards.

This subpackage may import `ways`.
"""
