"""A session's log: the stream from its host, the sentinels in it, and a step's output. Imports `remote`."""
