"""rsync and rclone: their argv, process, output, errors and quoting.

This subpackage makes no connection, and imports only `model` and `remote`.
"""
