"""`notify "message"`: in the run's own output always, and to the targets of config.toml."""

import os

from trainsh_base.errors import TrainError
from trainsh_base.system import spawn
from trainsh_base.system.config import config_value
from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.plan.document import Notify

LIMIT = 10.0  # seconds that telling everybody may take

# Runs in a process of its own: Apprise takes 0.1 s to load, and a target that hangs must not hold the run.
# Standard input: the title, the message and the targets, one a line, the message with its newlines as \x1e.
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


def notify(at: Attempt, step: Notify) -> Outcome:
    """Show the message and pass it on. Nobody to tell is no failure, and neither is a target that fails."""
    run = at.run
    message = run.masked(run.values.plain(step.message))
    run.record("notify", message=message)
    run.journal.sync()
    try:
        targets = [str(target) for target in config_value("notify.targets") or []]
    except TrainError as error:
        run.view.log(f"notify: {error.message}")
        targets = []
    if targets:
        problem = tell(f"train: {run.state.name}", message, targets, at)
        if problem:
            run.view.log(f"notify: {problem}")
    return Outcome(status="ok")


def tell(title: str, message: str, targets: list[str], at: Attempt) -> str:
    """Send through Apprise; the problem in words, or nothing."""
    import sys  # noqa: PLC0415 - only with targets

    errors = at.run.job.folder / "notify.err"
    handle = os.open(errors, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        child = spawn.start([sys.executable, "-c", _SEND], stderr=handle)
    finally:
        os.close(handle)
    text = "\n".join([title.replace("\n", " "), message.replace("\n", "\x1e"), *targets])
    os.write(child.stdin, text.encode())
    child.close_stdin()
    waited = 0.0
    while child.poll() is None and waited < LIMIT and not at.pause(0.05):
        waited += 0.05
    if child.poll() is None:
        child.end()
        return f"the targets did not take the message within {LIMIT:g} seconds"
    said = errors.read_text(errors="replace").strip().splitlines()
    return said[-1] if child.status and said else ""
