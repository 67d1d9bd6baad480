"""How steps end: made to, by signals; and what their host has kept of it."""

from collections.abc import Callable

from trainsh_base.errors import NotFound
from trainsh_base.request import Request
from trainsh_tmux.remote import step_scripts
from trainsh_tmux.session.live import Live, gone

INTERRUPT = 10  # seconds within which a step must heed its signals


def noted(live: Live, step: str) -> tuple[int | None, str]:
    """The status and the reason that the host has written down; None for a step that has no status.

    Raises `session_gone` where the session ended before it came to this step, which then never ran.
    """
    answer = (live.host.ask(step_scripts.start_step(live.job, live.name, step, "", only_ask=True)) or [""])[0]
    kind, *rest = answer.split()
    if kind == "never":
        raise gone(live.name, "it ended before it came to this step")
    status = int(rest[0]) if rest and rest[0].isdigit() else None
    return status, rest[1] if len(rest) > 1 else ""


def interrupt(live: Live, step: str, why: str, request: Request, tell: Callable[[str], None]) -> None:
    """End a step with INT, TERM, KILL; `tell` hears `ended` or `stuck`."""
    channel = live.host.channel(request)
    number = channel.listen(tell, lambda _: None)
    channel.ask(step_scripts.interrupt(live.job, live.name, step, number, why, INTERRUPT))


def read_captured(live: Live, step: str) -> str:
    """Standard output of a step, trimmed. Raises NotFound when it held a secret and was removed."""
    words = " ".join(live.host.ask(step_scripts.read_captured(live.job, live.name, step))).split()
    if words == ["gone"]:
        raise NotFound(
            f"the output of step {step} may hold a secret, so it was removed with its session or when the next"
            " step was sent", "run it again, under another name", code="captured_gone",
        )  # fmt: skip
    return bytes(int(word, 8) for word in words).decode("utf-8", "replace").strip()
