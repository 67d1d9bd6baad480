"""Persistent tmux sessions, steps that run exactly once, and waits."""
