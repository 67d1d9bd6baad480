"""Persistent tmux sessions, steps that run exactly once, and waits."""

import trainsh_base  # noqa: F401 - before msgspec, which it makes quicker to load
