"""The error for an answer that is not of the protocol, a tool's or a host's."""

from trainsh_base.errors import RemoteError


class BadAnswer(RemoteError):
    """The other side, a tool or a host, answered with something that is not of the protocol, or without end."""

    default_code = "bad_answer"
