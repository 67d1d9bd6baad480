"""Runtimes behind a tunnel.

They are hosts of type colab in the file hosts.toml, which train-host reads and writes.
"""
