"""Remote machines: targets, the shared ssh connection, channels on that connection.

These modules may import `tool` and `system`."""
