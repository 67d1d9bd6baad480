"""Rented machines: their states, their objects in the API, and the real sshd of each."""
