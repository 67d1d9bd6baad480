"""Reads a session's log: the stream from its host, the sentinels in the stream, and the output of a step.
This subpackage imports `remote`.
"""
