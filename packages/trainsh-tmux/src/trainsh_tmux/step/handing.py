"""Sends a step to its session's shell. If the host's reply asks for it, the step is sent again."""

from collections.abc import Callable

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.request import Request
from trainsh_base.system.deadline import Deadline
from trainsh_tmux.remote import step_scripts
from trainsh_tmux.remote.host import disk_full
from trainsh_tmux.session.errors import no_session, on_another_node
from trainsh_tmux.session.live import LOST, Live
from trainsh_tmux.session.reclaim import reclaim
from trainsh_tmux.step.failures import not_started

RESENDS = 20  # how many times a step is sent again to a shell that is idle but has not claimed the step
READY_LIMIT = 60.0  # seconds to wait for a starting shell or a full disk, if the step has no timeout


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step to run in a session. Of all steps with the same `name`, only one runs. Times are in seconds."""

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
    """Sends a step to its host: in the fast way (hand_step) if possible, else by the full request (start_step).

    `put` is called with ("said-", REPLY) for each reply, and with LOST if the connection was cut. A step that
    cannot begin yet is sent again, until the deadline that `limit` returns.
    """

    def __init__(
        self, live: Live, step: Step, request: Request, put: Callable[[object], None], limit: Callable[[], Deadline]
    ) -> None:
        self._live, self._step, self._request, self._put, self._limit = live, step, request, put, limit
        self.sent = 0
        self._in_full = False
        self._taken: tuple[str, ...] = ()
        self._ready: Deadline | None = None
        self._forget: Callable[[], None] = lambda: None

    def send(self) -> None:
        """Send the step to its host."""
        body = self._body()
        channel = self._live.host.channel(self._request)
        ask = channel.ask(body, on_line=lambda text: self._put(("said-", text)), on_end=self.answered, silent=True)
        self._forget = lambda: channel.forget(ask.number)

    def answered(self, status: int | None) -> None:
        """Handle the end of the request. A request without a status means that the connection was cut."""
        if status is None:
            self._put(LOST)

    def forget(self) -> None:
        """Ignore all replies from now on."""
        self._forget()

    def _body(self) -> str:
        live, step = self._live, self._step
        limit = step.timeout if step.background else None
        self._taken = tuple(name for name in live.taken if name != step.name)
        quick = None
        if not (self.sent or self._in_full or self._taken or step.secrets or step.replaces):
            quick = step_scripts.hand_step(
                live.job, live.name, step.name, step.command, mode=step.mode, echo=step.echo, limit=limit,
                grace=step.grace,
            )  # fmt: skip
        self.sent += 1
        return quick or step_scripts.start_step(
            live.job, live.name, step.name, step.command, mode=step.mode, echo=step.echo, limit=limit,
            grace=step.grace, secrets=step.secrets, taken=self._taken, replaces=step.replaces,
        )  # fmt: skip

    def done(self) -> None:
        """Record that the session accepted the step. The request also removed the captured output of `_taken`."""
        if self._taken:
            self._live.taken = [step for step in self._live.taken if step not in self._taken]

    # Replies after which the step is sent again, or which tell that this would be useless

    def slow(self) -> None:
        """Send the full request. It counts as the first time that the step is sent."""
        self._in_full, self.sent = True, 0
        self.send()

    def unread(self) -> bool:
        """Send the step again, because a Ctrl-C in the pane made the shell lose the line that it had read.

        Returns False, and sends nothing, if the step was sent again RESENDS times before.
        """
        if self.sent > RESENDS:
            return False
        self.send()
        return True

    def starting(self) -> None:
        """Wait a moment, since the shell is not ready for steps yet, and send the step again."""
        self._send_later(0.05, f"the shell of session {self._live.name} did not become ready for steps")

    def full(self) -> None:
        """Wait a moment, since the host's disk is full, and send the step again."""
        message = disk_full(self._live.host).message
        if self._ready is None:
            self._request.emit("log", message=f"{message}; waiting until there is space")
        self._send_later(0.5, message)

    def _send_later(self, pause: float, reason: str) -> None:
        """Send the step again after `pause` seconds. Raises NotStarted, with `reason`, after the deadline."""
        limit = self._limit()
        self._ready = self._ready or (Deadline.after(READY_LIMIT) if limit.left() is None else limit)
        if self._ready.expired:
            raise not_started(self._step.name, reason)
        self._request.cancelled.wait(pause)
        self.send()

    def released(self) -> None:
        """Reclaim the session, which was released for a person, and send the step again. Raises NotStarted."""
        try:
            notes = reclaim(self._live)[0]
        except TrainError as error:
            if error.code != "session_busy":
                raise
            raise not_started(self._step.name, error.message, error.hint) from None
        for note in notes:
            self._request.emit("log", message=note)
        self.send()

    def gone(self, state: str) -> None:
        """Raise NotFound if there is no such session, or NotStarted if the session has ended."""
        if state == "none":
            raise no_session(self._live.host, self._live.name)
        raise not_started(
            self._step.name, f"session {self._live.name} is not running ({state or 'its shell has ended'})",
            "open it again with tmux.open",
        )  # fmt: skip

    def elsewhere(self, node: str) -> None:
        """Raise Conflict `other_node`, because the session runs on another machine with the same home folder."""
        raise on_another_node(self._live.name, node, self._live.host)
