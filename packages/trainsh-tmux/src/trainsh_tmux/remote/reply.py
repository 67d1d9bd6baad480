"""Parses a host's replies. A host is not trusted: a malformed line raises BadAnswer."""

from trainsh_base.system.bad_answer import BadAnswer
from trainsh_base.system.printable import visible

SHOWN = 80  # how many characters of a malformed line an error quotes


def malformed(host: str, line: str) -> BadAnswer:
    """Return the error for a malformed reply of `host`."""
    return BadAnswer(
        f"{host} sent a reply that cannot be read: {visible(line[:SHOWN])!r}",
        f"another program may have answered; to test the host: train host test {host}",
    )


def natural(text: str, host: str, line: str) -> int:
    """Parse `text` as an integer of 0 or more. Raises BadAnswer."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise malformed(host, line)
    return int(text)


def fields(host: str, line: str, count: int) -> list[str]:
    """Split a line into `count` fields. The last field is the rest of the line. Raises BadAnswer."""
    words = line.split(" ", count - 1)
    if len(words) < count:
        raise malformed(host, line)
    return words


def said(lines: list[str], word: str) -> str:
    """Find the line that begins with `word`, and return the rest of that line.

    Returns "" if there is no such line.
    """
    return next((line[len(word) + 1 :] for line in lines if line == word or line.startswith(word + " ")), "")
