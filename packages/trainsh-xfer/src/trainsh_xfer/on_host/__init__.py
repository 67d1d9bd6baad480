"""Runs rclone on a host, so that it needs no connection: for transfers with a storage, and for the
checkpoint pump.
"""
