"""How a run is shown: live on a terminal, as lines, as JSON lines, as bare output."""
