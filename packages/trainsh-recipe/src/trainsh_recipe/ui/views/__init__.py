"""The views of a run: live on a terminal, as lines, as JSON lines, and only the output of commands."""
