"""Persistent tmux sessions, steps that run exactly once, and waits."""

import trainsh_base  # noqa: F401 - imported before msgspec, it makes msgspec load faster
