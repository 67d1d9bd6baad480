"""Shows an answer that is longer than the terminal in a pager, by git's rules.

The pager is TRAINSH_PAGER, else PAGER, else less. An empty value or `cat` means that there is no pager. If LESS is
not set, the pager gets LESS=FRX. An answer that fits on the screen is printed without the pager. Without a
terminal, or with TERM=dumb, the pager is not used either.
"""

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from typing import TextIO

from trainsh_base.tool.gate import Gate, raw


class Screenful(io.BytesIO):
    """A buffer that claims to be a terminal, so that colours and tables are made as for a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@contextlib.contextmanager
def paged(wanted: bool) -> Iterator[None]:
    """Collect what is printed in this block. If it is too long for the terminal, show it in the pager.

    If standard error is a terminal, its text is collected too, so that all texts keep their order. After an
    exception, the collected text is printed without the pager.
    """
    words = _pager() if wanted and sys.stdout.isatty() and sys.stdin.isatty() else []
    if not words:
        yield
        return
    screen = Screenful()
    plain = io.TextIOWrapper(screen, encoding="utf-8", errors="backslashreplace")
    gate = Gate(plain)
    before = sys.stdout, sys.stderr
    sys.stdout = gate
    if sys.stderr.isatty():
        sys.stderr = gate
    whole = False
    try:
        yield
        whole = True
    finally:
        gate.flush()
        plain.flush()
        sys.stdout, sys.stderr = before
        text = screen.getvalue()
        if not (whole and _too_long(text) and _show(words, text)):
            _print(sys.stdout, text)


def _pager() -> list[str]:
    """Return the pager's argv; empty if no pager is wanted."""
    if os.environ.get("TERM", "dumb") == "dumb":
        return []
    import shlex  # noqa: PLC0415 - only a terminal needs it

    chosen = next((os.environ[name] for name in ("TRAINSH_PAGER", "PAGER") if name in os.environ), "less")
    try:
        words = shlex.split(chosen)
    except ValueError:
        return []
    return [] if words == ["cat"] else words


def _too_long(text: bytes) -> bool:
    import re  # noqa: PLC0415 - only a terminal needs it
    import shutil  # noqa: PLC0415 - as above

    from trainsh_base.tool.table import cells  # noqa: PLC0415 - as above

    width, height = shutil.get_terminal_size()
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text.decode(errors="replace")).splitlines()
    return sum(max(1, -(-cells(line) // max(width, 1))) for line in lines) >= height


def _show(words: list[str], text: bytes) -> bool:
    """Run the pager on `text`. Return False if the pager cannot be started."""
    import subprocess  # noqa: PLC0415 - only a long answer needs it

    env = {"LESS": "FRX", "LV": "-c", **os.environ}
    before = signal.getsignal(signal.SIGINT)
    try:
        child = subprocess.Popen(words, stdin=subprocess.PIPE, env=env)
    except OSError:
        return False
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the pager, so this process ignores it
    try:
        with contextlib.suppress(BrokenPipeError):
            child.communicate(text)
    finally:
        signal.signal(signal.SIGINT, before)
    return child.returncode != 127


def _print(stream: TextIO, text: bytes) -> None:
    stream.flush()
    out = raw(stream)
    out.write(text.decode(errors="replace"))
    out.flush()
