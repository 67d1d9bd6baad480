"""Runs rclone on a host so that it needs no connection.

Transfers with a storage and the checkpoint pump use this.
"""
