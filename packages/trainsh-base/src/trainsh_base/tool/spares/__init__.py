"""Spare tools: a `serve` whose modules are loaded already, and that waits for the next program that needs it."""

# Gives a newly started spare the seconds for which it waits, and the path of its socket.
VARIABLE = "TRAINSH_SPARE"
