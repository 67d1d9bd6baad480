"""Rented machines: their states, what the API shows of them, and the real sshd behind each."""
