"""Remote machines: targets, the shared ssh connection, channels over it. May import `tool` and `system`."""
