"""Reads what a host has recorded about a step."""

from trainsh_base.errors import NotFound
from trainsh_tmux.model import Outcome
from trainsh_tmux.remote import step_scripts
from trainsh_tmux.remote.reply import malformed
from trainsh_tmux.session.errors import on_another_node
from trainsh_tmux.session.live import Live
from trainsh_tmux.statuses import judge
from trainsh_tmux.step.failures import not_started


def parse_status(text: str, host: str, line: str) -> int | None:
    """Parse a step's status as the host records it. Returns None for `lost` and `none`. Raises BadAnswer."""
    if text in ("lost", "none"):
        return None
    if not (text.isascii() and text.isdigit() and int(text[:4]) <= 255):
        raise malformed(host, line)
    return int(text)


def _told(live: Live, step: str) -> tuple[str, str, str]:
    """Ask the host about a step without starting the step.

    Returns (word, status, reason). The word is `again` if the step was started before, else `never`. The reason is
    what the host recorded. Raises Conflict `other_node`, BadAnswer.
    """
    host = live.host
    line = host.first(step_scripts.start_step(live.job, live.name, step, "", only_ask=True), "never")
    kind, _, rest = line.partition(" ")
    if kind == "elsewhere":
        raise on_another_node(live.name, rest, host)
    if kind not in ("again", "never"):
        raise malformed(host.name, line)
    status, _, why = rest.strip().partition(" ")
    return kind, status, why.strip()


def noted(live: Live, step: str) -> tuple[int | None, str]:
    """Return (status, reason) as the host has recorded them. The status is None if the host has recorded none.

    Raises NotStarted if the session ended before it began this step, Conflict `other_node`, BadAnswer.
    """
    kind, status, why = _told(live, step)
    if kind == "never":
        raise not_started(step, f"session {live.name} ended before this step could start", "open it: tmux.open")
    return (parse_status(status, live.host.name, status) if status else None), why


def asked(live: Live, step: str) -> Outcome:
    """Return what is known about a step, without starting it. Raises Conflict `other_node`, BadAnswer."""
    kind, status, why = _told(live, step)
    if kind == "never":
        return Outcome(step=step, state="never", reason="it was not started")
    if not status:
        return Outcome(step=step, state="running", resumed=True, reason="it is running")
    number = parse_status(status, live.host.name, status)
    state, reason = judge(number, why, "its time limit")
    return Outcome(step=step, state=state, exit=None if state == "lost" else number, reason=reason, resumed=True)


def read_captured(live: Live, step: str) -> str:
    """Return the captured stdout of a step, without blanks at its ends.

    Raises NotFound if the output may have held a secret and was removed.
    """
    words = " ".join(live.host.ask(step_scripts.read_captured(live.job, live.name, step))).split()
    if words == ["gone"]:
        raise NotFound(
            f"the output of step {step} may hold a secret, so it was removed with its session or when the next"
            " step was sent", "run the step again, under another name", code="captured_gone",
        )  # fmt: skip
    try:
        return bytes(int(word, 8) for word in words).decode("utf-8", "replace").strip()
    except ValueError:
        raise malformed(live.host.name, " ".join(words)) from None
