"""A job before its first step: its source and overrides, held with its lock, detached, described, rehearsed."""
