"""Runtimes behind a tunnel: hosts of type colab in hosts.toml, which train-host reads and writes."""
