"""`notify "message"`: shows the message in the run's output, and sends it to the targets in config.toml."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from trainsh_base.errors import TrainError
from trainsh_base.system import spawn
from trainsh_base.system.configuration.config import config_value
from trainsh_base.system.deadline import Deadline
from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.engine.values import Values
from trainsh_recipe.plan.document import Notify

LIMIT = 10.0  # seconds for sending to all targets

# This program runs in a process of its own, because Apprise takes 0.1 s to load, and a target that hangs must not
# delay the run. It reads from standard input the title, the message and the targets, each on a line. Newlines in
# the message are sent as \x1e.
_SEND = """
import sys
title, body, *targets = sys.stdin.read().split("\\n")
try:
    import apprise
except ImportError:
    sys.exit("apprise is not installed: pip install apprise")
sender = apprise.Apprise()
bad = [target for target in targets if not sender.add(target)]
sent = sender.notify(title=title, body=body.replace("\\x1e", "\\n"))
if bad:
    sys.exit(f"{len(bad)} of the targets in notify.targets cannot be read")
if not sent:
    sys.exit("a target refused the message")
"""


class NotifyExecutor:
    """Shows the message and sends it.

    The step does not fail if there is no target, or if the message cannot be sent. `record` writes an event with
    the given data and syncs the journal. Error messages of Apprise go to a file in `folder`.
    """

    def __init__(
        self, values: Values, title: str, folder: str, view: View, masked: Callable[[str], str],
        record: Callable[..., None],
    ) -> None:  # fmt: skip
        self._values, self._title, self._folder, self._view = values, title, folder, view
        self._masked, self._record = masked, record

    def run(self, at: Attempt, step: Notify) -> Outcome:
        """Send the message to every target of `notify.targets`."""
        message = self._masked(self._values.plain(step.message))
        self._record("notify", sync=True, message=message)
        try:
            targets = [str(target) for target in config_value("notify.targets") or []]
        except TrainError as error:
            self._view.log(f"notify: {error.message}")
            targets = []
        if targets:
            problem = self._tell(message, targets, at)
            if problem:
                self._view.log(f"notify: {problem}")
        return Outcome(status="ok")

    def _tell(self, message: str, targets: list[str], at: Attempt) -> str:
        """Send the message with Apprise. Returns a text about the problem, or "" if there was none."""
        errors = Path(self._folder) / "notify.err"
        handle = os.open(errors, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            child = spawn.start([sys.executable, "-c", _SEND], stderr=handle)
        finally:
            os.close(handle)
        text = "\n".join([self._title.replace("\n", " "), message.replace("\n", "\x1e"), *targets])
        os.write(child.stdin, text.encode())
        child.close_stdin()
        deadline = Deadline.after(LIMIT)
        while child.poll() is None and not deadline.expired and not at.pause(0.05):
            pass
        if child.poll() is None:
            child.end()
            return f"the message was not sent within {LIMIT:g} seconds"
        said = errors.read_text(errors="replace").strip().splitlines()
        return said[-1] if child.status and said else ""
