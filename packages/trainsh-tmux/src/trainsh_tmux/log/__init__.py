"""A session's log: the stream from its host, the sentinels in it, and the output of a step.
This subpackage imports `remote`.
"""
