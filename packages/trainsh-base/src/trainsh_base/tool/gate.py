"""The gate to the terminal: a stream that removes untrusted escapes from all text for people.

Everything that is printed (tables, events, prompts, errors) goes through `sys.stdout` and `sys.stderr`, which the
framework replaces by gates. A gate makes text printable (`trainsh_base.system.printable`). The framework's own
styles contain a secret key, so that the gate can distinguish them from escapes that a host or a plugin sends. `raw`
returns the stream behind a gate. It is used for a live view, whose console makes its text printable, and for the
terminal output of `exec`.
"""

import io
import os
import re
import sys
from typing import Any, TextIO

_KEY = os.urandom(8).hex()


def styled(text: str, code: str) -> str:
    """Return `text` in a style (SGR codes such as `1;31`).

    Call this only if colours are wanted, as display.paint does.
    """
    from trainsh_base.system.printable import printable  # noqa: PLC0415 - its patterns cost a `serve` 1 ms

    return f"\x1b]{_KEY};{code}\x07{printable(text)}\x1b]{_KEY};0\x07"


def clean(text: str) -> str:
    """Return `text` as the gate writes it: made printable, and with SGR sequences for the framework's own
    styles.
    """
    from trainsh_base.system.printable import printable  # noqa: PLC0415 - as above

    if "\x1b" not in text:
        return printable(text)
    parts = re.split(rf"\x1b\]{_KEY};([0-9;]*)\x07", text)
    parts[0::2] = map(printable, parts[0::2])
    parts[1::2] = [f"\x1b[{code}m" for code in parts[1::2]]
    return "".join(parts)


class Gate(io.TextIOWrapper):
    """A text stream that passes all text through `clean`."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(
            stream.buffer, encoding="utf-8", errors="backslashreplace", newline="\n",
            line_buffering=stream.isatty(), write_through=True,
        )  # fmt: skip
        self.raw_stream = stream
        self.used = False  # whether something was written, or the stream behind the gate was asked for

    def write(self, text: str) -> int:
        """Write the cleaned text. Return the length of `text`, as callers expect."""
        super().write(clean(text))
        self.used = True
        return len(text)


def install() -> None:
    """Put gates before standard output and standard error."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and not isinstance(stream, Gate):
            stream.flush()
            stream.reconfigure(write_through=True)  # texts appear in the order of the calls
            setattr(sys, name, Gate(stream))


def raw(stream: TextIO) -> TextIO:
    """Return the stream behind a gate: text written to it reaches the terminal unchanged."""
    if isinstance(stream, Gate):
        stream.flush()
        stream.used = True
        return stream.raw_stream
    return stream


def console(stream: TextIO, **options: Any) -> Any:
    """Return a rich console that writes to the stream behind the gate of `stream`.

    The gate would remove rich's escape sequences. So the console itself makes each text printable, before rich adds
    escape sequences to the text.
    """
    from rich.console import Console
    from rich.segment import Segment

    from trainsh_base.system.printable import printable  # noqa: PLC0415 - as above

    class Gated(Console):
        def render(self, *renderable: Any, **more: Any) -> Any:
            for segment in super().render(*renderable, **more):
                yield segment if segment.control else Segment(printable(segment.text), segment.style)

    return Gated(file=raw(stream), **{"highlight": False, "markup": False, **options})
