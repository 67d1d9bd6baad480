"""Sends a step to its session's shell."""

import msgspec

from trainsh_tmux.remote import step_scripts
from trainsh_tmux.session.live import Live


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step to run in a session. A step with the same `name` runs only once; times are in seconds."""

    name: str
    command: str
    mode: str
    echo: str
    timeout: float | None
    secrets: dict[str, str] = {}
    since: int | None = None
    keep_running: bool = False
    grace: float = 30.0
    replaces: tuple[str, ...] = ()

    @property
    def background(self) -> bool:
        """Whether the step is left running in the session."""
        return self.mode == "background"


class Handing:
    """Builds the requests that send a step: first the short form, unless the step needs the full one."""

    def __init__(self, live: Live, step: Step) -> None:
        self._live, self._step = live, step
        self.sent = 0
        self.in_full = False
        self._taken: tuple[str, ...] = ()

    def body(self) -> str:
        """Return the body of the next request."""
        live, step = self._live, self._step
        limit = step.timeout if step.background else None
        self._taken = tuple(name for name in live.taken if name != step.name)
        quick = None
        if not (self.sent or self.in_full or self._taken or step.secrets or step.replaces):
            quick = step_scripts.hand_step(
                live.job, live.name, step.name, step.command, mode=step.mode, echo=step.echo, limit=limit,
                grace=step.grace,
            )  # fmt: skip
        self.sent += 1
        return quick or step_scripts.start_step(
            live.job, live.name, step.name, step.command, mode=step.mode, echo=step.echo, limit=limit,
            grace=step.grace, secrets=step.secrets, taken=self._taken, replaces=step.replaces,
        )  # fmt: skip

    def again_in_full(self) -> None:
        """Use the full form from now on, since the host replied `slow`; the next request counts as the first."""
        self.in_full, self.sent = True, 0

    def done(self) -> None:
        """Record that the session accepted the step. Its request also removed the output in `_taken`."""
        self._live.taken = [step for step in self._live.taken if step not in self._taken]
