"""The GPUs of hosts: what nvidia-smi reports, and who owns the processes on them.

This subpackage may import `checks` and `ways`.
"""
