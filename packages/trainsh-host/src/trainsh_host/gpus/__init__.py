"""The GPUs of hosts: what nvidia-smi reports, and who owns their processes. May import `checks` and `ways`."""
