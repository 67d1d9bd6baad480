"""The error for a reply of a tool or a host that violates the protocol."""

from trainsh_base.errors import RemoteError


class BadAnswer(RemoteError):
    """A tool or a host sent a reply that violates the protocol or is too long."""

    default_code = "bad_answer"
