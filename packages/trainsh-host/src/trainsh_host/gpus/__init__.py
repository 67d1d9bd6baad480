"""The GPUs of hosts: what nvidia-smi says, and whose processes run on them. May import `checks` and `ways`."""
