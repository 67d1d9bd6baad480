"""Signals the end of a long run by the terminal's bell, by a desktop notification, or by both.

The setting `notify.end` chooses among these. Only runs of at least `notify.after` seconds on a terminal are
signalled.
"""

import contextlib
import sys

from trainsh_base.errors import TrainError
from trainsh_base.system.configuration.config import config_value
from trainsh_base.tool.gate import raw

BELL = "\a"
LIMIT = 5.0  # seconds within which the desktop must take the notification


def signal_end(title: str, message: str, seconds: float) -> None:
    """Signal the end of a run that took `seconds`, if the settings want it."""
    if not sys.stderr.isatty():
        return
    try:
        how, after = str(config_value("notify.end")), float(config_value("notify.after"))
    except TrainError:
        return  # settings cannot be read; the commands that need a setting report that
    if seconds < after:
        return
    if how in ("desktop", "both") and not _notify(title, message):
        how = "bell"
    if how in ("bell", "both"):
        terminal = raw(sys.stderr)
        terminal.write(BELL)
        terminal.flush()


def _notify(title: str, message: str) -> bool:
    """Show a notification by notify-send, or by osascript on a Mac. Returns whether it was shown."""
    from trainsh_base.system import proc  # noqa: PLC0415 - only the end of a long run needs it

    words = command(title, message)
    if not words:
        return False
    with contextlib.suppress(TrainError, OSError):
        return proc.run(words, timeout=LIMIT, check=False).status == 0
    return False


def command(title: str, message: str) -> list[str]:
    """Return the argv that shows a notification on this machine, or [] if it has no such program."""
    import shutil  # noqa: PLC0415 - 4 ms, as above

    if program := shutil.which("notify-send"):
        return [program, "--app-name=train", "--", title, message]
    if program := shutil.which("osascript"):
        script = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"
        return [program, "-e", script, title, message]
    return []
