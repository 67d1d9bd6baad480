"""Buckets and drives: where they are, and how rclone reaches them."""
