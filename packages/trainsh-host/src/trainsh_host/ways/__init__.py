"""From a name or spec to the way to a machine, and one command on it. May import `store`."""
