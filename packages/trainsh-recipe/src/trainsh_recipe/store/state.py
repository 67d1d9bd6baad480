"""The state of a job, as `fold` computes it from the events of the journal."""

from typing import Any

import msgspec

from trainsh_recipe.store.options import Overrides, RunOptions
from trainsh_recipe.store.rented import Rented

# The verbs that a recipe uses to end a state which earlier verbs of the same tool ensured.
ENDS = frozenset(("stop", "destroy", "close", "down", "delete", "remove", "terminate", "disconnect"))


class StepState(msgspec.Struct, kw_only=True):
    """The state of one step.

    `status` is running, ok, failed, timeout, lost, cancelled, skipped, `unknown` (a resume has to ask the host how
    the step ended) or `again` (the step's effect is gone, so it runs again). `token` identifies the shell in which
    the step ran. `settled` means that a background step is known to have succeeded. If such a
    step is known to have failed, its `status` is ok and its `exit` is not 0.
    """

    id: str
    kind: str = ""
    text: str = ""
    line: int = 0
    status: str = "running"
    attempt: int = 1
    tries: int = 1  # attempts since the last start or resume
    started: str = ""
    ended: str = ""
    exit: int | None = None
    reason: str = ""
    seconds: float = 0.0
    offset: int | None = None
    since: int | None = None
    bytes: int = 0
    allowed: bool = False
    gone: bool = False  # lost for good, because the session in which it ran no longer exists
    closing: bool = False
    round: int = 1
    session: str = ""
    token: str = ""
    background: bool = False
    settled: bool = False
    parts: list[tuple[int, int]] = []  # (attempt, offset where its output begins), if the log has several attempts
    process: dict[str, Any] = {}

    @property
    def over(self) -> bool:
        """Whether the end of the step's last attempt is known."""
        return self.status not in ("running", "unknown")

    @property
    def known(self) -> str:
        """The status for people: a background step is `background` until its end is known."""
        if not self.background or self.status != "ok":
            return self.status
        return "ok" if self.settled else "failed" if self.exit else "background"

    @property
    def done(self) -> bool:
        """Whether the step need not run again: it succeeded, was skipped, or failed although it is allowed
        to fail.
        """
        return self.status in ("ok", "skipped") or (self.over and self.allowed)


class SessionState(msgspec.Struct, kw_only=True):
    """A session that the job opened.

    The offsets are bytes in its log; a pattern wait begins its search at one of them. `token` identifies the
    session's shell, `node` the machine and its boot. `restored` means that the session was opened again, and that
    the new shell has the state that the old one had after the step `covers`. `covers` is an id on the host, "" if
    no step is covered, None if all are. `left_out` names what was not restored, because it contained a secret or
    was an open descriptor.
    """

    name: str
    host: str
    host_name: str = ""
    token: str = ""
    machine: str = ""
    node: str = ""
    restored: bool = False
    covers: str | None = None
    left_out: list[str] = []
    open: bool = True
    waited: int | None = None
    background: int | None = None
    step: int | None = None
    end: int | None = None
    left: list[str] = []  # background steps after which no `wait idle` has succeeded

    @property
    def where(self) -> str:
        """The host's name for people: its name in the recipe, else its spec."""
        return self.host_name or self.host

    def since(self) -> int | None:
        """Return the log offset at which the next pattern wait begins its search.

        It is the offset of the last matching wait, else of the first background step, else of the last step.
        """
        return next((at for at in (self.waited, self.background, self.step) if at is not None), None)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Machines that are kept until the time `until` (RFC 3339).

    The step that would release them, or `finally`, waits. `reason` is "failed" if the job has failed, or "required"
    if outputs of `steps` have not arrived.
    """

    reason: str
    until: str
    hosts: list[str] = []
    steps: list[str] = []


class State(msgspec.Struct, kw_only=True):
    """A job.

    Its `status` comes from the journal alone, which does not tell whether a job without an end still runs. It runs
    only while a process has its lock.
    """

    id: str = ""
    name: str = ""
    kind: str = "recipe"
    file: str = ""
    digest: str = ""
    cwd: str = ""
    version: str = ""
    pid: int = 0
    started: str = ""
    ended: str = ""
    status: str = "running"
    reason: str = ""
    seconds: float = 0.0
    total: int = 0
    round: int = 1
    options: RunOptions = RunOptions()
    failing: bool = False  # a step has failed and is not retried, so that `finally` comes next
    closing: str = ""  # the job's status when `finally` began; "" when `finally` is over
    steps: dict[str, StepState] = {}
    sessions: dict[str, SessionState] = {}
    hosts: dict[str, str] = {}
    vars: dict[str, str | None] = {}
    storages: dict[str, str] = {}
    filled: dict[str, str] = {}  # host -> the tool whose answer gave the host its machine
    stopped: list[str] = []  # hosts that a step of the job stopped
    machines: dict[str, str] = {}  # host -> the token of the machine that its steps ran on
    resume_from: str = ""  # the step from which a resume has to start, "" if the job can simply continue
    instances: dict[str, Rented] = {}
    held: Held | None = None  # why machines are kept now; None if no machine is kept
    arrived: list[str] = []  # required transfers whose output has arrived and was verified
    given_up: list[str] = []  # required transfers of this run for which no machine is kept any longer
    active: float = 0.0  # seconds during which a runner worked, up to the last event
    last: str = ""
    _since: str = ""

    @property
    def overrides(self) -> Overrides:
        """What the command line overrides, by kind."""
        return self.options.overrides

    def billing(self) -> list[Rented]:
        """Return the machines that no step has stopped, and that still cost money after the job."""
        return [machine for machine in self.instances.values() if machine.running]
