"""What a host's replies hold, read without trust: a line that is not of its form is one typed error."""

from trainsh_base.system.bad_answer import BadAnswer
from trainsh_base.system.printable import visible

SHOWN = 80  # characters of a line that an error quotes


def malformed(host: str, line: str) -> BadAnswer:
    """The error for a reply of `host` that makes no sense."""
    return BadAnswer(
        f"{host} sent a reply that cannot be read: {visible(line[:SHOWN])!r}",
        "another program may answer there: train host test",
    )


def natural(text: str, host: str, line: str) -> int:
    """`text` as a number from 0. Raises BadAnswer."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise malformed(host, line)
    return int(text)


def fields(host: str, line: str, count: int) -> list[str]:
    """The line's first `count` words; the last one takes all the rest. Raises BadAnswer."""
    words = line.split(" ", count - 1)
    if len(words) < count:
        raise malformed(host, line)
    return words


def said(lines: list[str], word: str) -> str:
    """What follows `word` in the line that begins with it; nothing when there is no such line."""
    return next((line[len(word) + 1 :] for line in lines if line == word or line.startswith(word + " ")), "")
