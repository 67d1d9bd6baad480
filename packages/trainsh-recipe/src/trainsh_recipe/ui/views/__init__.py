"""The views of a run: live on a terminal, lines, JSON lines, bare output."""
