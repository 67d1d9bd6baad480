"""Checks, on a resume, whether finished steps still have their effect: machines, sessions, background steps."""

import contextlib
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.system.step_numbers import attempt_name
from trainsh_recipe.engine.machines import Machines
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.outside.cancellation import Leave
from trainsh_recipe.engine.run import Run
from trainsh_recipe.plan.document import Control, Execute, Parallel, Transfer, Wait
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.state import ENDS, SessionState, StepState

if TYPE_CHECKING:
    from trainsh_recipe.engine.resuming.changed_source import ChangedSources

LOST = "the background step is lost: how it ended is not known\nto run it again: train recipe resume --retry-lost"
FORESEE_LIMIT = 5.0


class Held(msgspec.Struct):
    """A host's answer about its sessions and steps, or the error if the host could not be asked."""

    sessions: dict[str, dict[str, Any]] = {}
    error: TrainError | None = None


class Ground:
    """Asks each host once, before finished steps on that host are skipped. Marks the steps whose effect is gone."""

    def __init__(self, run: Run, machines: Machines) -> None:
        self._run, self._machines = run, machines
        self.looking = bool(run.state.steps)  # a first run has no finished steps to check
        self.held: dict[str, Held] = {}
        self.again: dict[str, str] = {}  # step -> the reason why it runs again
        self._stopped: dict[str, str] = {}  # session -> the step to resume from
        self._main = [each for each in run.numbers if not each.closing and not isinstance(each.step, Parallel)]
        self._repeated: set[str] | None = None

    # Hosts

    def look(self, step: Numbered) -> None:
        """Ask the hosts of the step, each only once, before finished steps on them are skipped."""
        if not self.looking:
            return
        with self._run.lock:
            for host in sorted(self._run.sessions.hosts_of(step)):
                if host not in self.held and self._recorded(host):
                    self.held[host] = Held()
                    self._look(host)
                    self._repeated = None

    def _recorded(self, host: str) -> bool:
        """Return whether the job has run steps on the host. The effect of these steps may be gone."""
        if host in self._run.state.stopped:
            return False
        return any(each.id in self._run.state.steps for each in self._on(host))

    def _on(self, host: str) -> list[Numbered]:
        return [each for each in self._main if host in self._run.sessions.hosts_of(each)]

    def _look(self, host: str) -> None:
        run = self._run
        sessions = [name for name in run.state.sessions if run.sessions.host_of(name) == host]
        background = self._unsettled(host)
        names = {attempt_name(each.id, run.state.steps[each.id].attempt): each for each in background}
        try:
            answer = self._machines.holds(run.values.host(host), sessions, list(names))
        except TrainError as error:
            self._unasked(host, error)
            return
        self.held[host].sessions = answer.get("sessions") or {}
        machine, before = str(answer.get("machine") or ""), run.state.machines.get(host, "")
        if machine and before and machine != before:
            self._another_machine(host, before, machine)
            return
        if machine and not before:
            run.record("machine", host=host, machine=machine)
        for name, each in names.items():
            self._background(each, (answer.get("steps") or {}).get(name) or {})

    def _unasked(self, host: str, error: TrainError) -> None:
        """Handle a host that cannot be asked. If a later step needs the host, raise Leave.

        Otherwise the host's steps stay done.
        """
        self.held[host].error = error
        if not self._run.cancellation.accepted and any(not self._done(each) for each in self._on(host)):
            if self._run.journal.silent:
                return
            other = f"train recipe resume {self._run.job.short_id} --host {host}=SPEC"
            raise Leave(
                1, f"{host} cannot be asked about its sessions: {error.message}\n  if this machine is lost and "
                f"you have another one: {other}\n  the steps that ran on it would run again there",
            )  # fmt: skip
        self._run.view.log(f"{host} cannot be asked ({error.message}); steps that ended there count as done")

    def _another_machine(self, host: str, before: str, machine: str) -> None:
        run = self._run
        steps = [each.id for each in self._on(host) if each.id in run.state.steps]
        run.record("again", steps=steps, reason="another machine", host=host)
        run.record("machine", host=host, machine=machine, sync=True)
        self.again |= dict.fromkeys(steps, "another machine")
        if steps:
            run.view.log(
                f"{host} is another machine (was {before[:8]}, is {machine[:8]}): "
                f"its steps run again, from step {steps[0]} on"
            )

    # Background steps

    def _unsettled(self, host: str) -> list[Numbered]:
        """Return the background steps whose end is not recorded.

        Steps whose session the recipe closed are left out.
        """
        state, found = self._run.state, []
        for place, each in enumerate(self._main):
            step = state.steps.get(each.id)
            if not isinstance(each.step, Execute) or not each.step.background or step is None or step.settled:
                continue
            closed = any(
                self._done(later) and isinstance(later.step, Control) and later.step.tool == "tmux"
                and later.step.verb == "close" and later.step.session == each.step.session
                for later in self._main[place + 1 :]
            )  # fmt: skip
            if step.status in ("ok", "lost") and not closed and host in self._run.sessions.hosts_of(each):
                found.append(each)
        return found

    def settle(self) -> None:
        """Record how background steps ended, if no wait has noticed it. A host that does not answer is skipped."""
        run = self._run
        steps = [each for each in self._main if isinstance(each.step, Execute) and each.step.background]
        for host in sorted(
            {host for each in steps for host in run.sessions.hosts_of(each)} - set(run.state.stopped)
        ):
            names = {
                attempt_name(each.id, run.state.steps[each.id].attempt): each for each in self._unsettled(host)
            }
            told: dict[str, dict[str, Any]] = {}
            with contextlib.suppress(TrainError):
                if names:
                    told = self._machines.holds(run.values.host(host), [], list(names), FORESEE_LIMIT)["steps"]
            for name, answer in told.items():
                if answer.get("state") == "ended" and isinstance(answer.get("exit"), int):
                    run.record("background", step=names[name].id, state="ended", exit=answer["exit"])

    def _background(self, each: Numbered, told: dict[str, Any]) -> None:
        """Decide whether a background step runs again.

        It stays done if it still runs or has succeeded. If it is lost, it runs again only with `retry_lost`. If it
        failed or never began, it runs again, and so do the waits after it.
        """
        run, kind, exit = self._run, told.get("state"), told.get("exit")
        session = run.sessions.get(getattr(each.step, "session", ""))
        if kind == "lost" and session is not None and not session.open:
            kind = "ended"  # the job closed the session of the step, which ended the step
        if kind == "running":
            return
        if told.get("state") == "ended" and exit == 0:
            run.record("background", step=each.id, state="ended", exit=0)
            return
        if kind == "lost" and not run.state.options.retry_lost:
            run.record("background", step=each.id, state="lost", reason=LOST)
            return
        why = {"lost": "background step lost", "ended": "background step failed"}.get(str(kind), "it never began")
        assert isinstance(each.step, Execute)
        behind = [
            later.id for later in self._main[self._main.index(each) + 1 :]
            if isinstance(later.step, Wait) and later.step.session == each.step.session
            and later.id in run.state.steps
        ]  # fmt: skip
        run.record("again", steps=[each.id, *behind], reason=why)
        self.again |= {each.id: why} | dict.fromkeys(behind, f"waits for step {each.id}")
        status = f" (exit {exit})" if kind == "ended" and exit is not None else ""
        run.view.log(f"step {each.id}: {why}{status}; it runs again")

    # Transfers

    def tell_changed(self, step: Numbered) -> list[str]:
        """Tell that the source of a finished transfer, which is not repeated, has changed since.

        Returns the changed files.
        """
        if not isinstance(step.step, Transfer):
            return []
        with self._run.lock:
            told = self.sources.told(step)
            if told:
                self._run.view.log(told)
        return self.sources.changed(step)

    @cached_property
    def sources(self) -> "ChangedSources":
        """What has changed of the sources of finished transfers."""
        from trainsh_recipe.engine.resuming.changed_source import ChangedSources  # noqa: PLC0415 - as above

        return ChangedSources(self._run.values, self._run.job.short_id)

    # Sessions

    def reopened(self, name: str) -> None:
        """Mark the steps that only set shell state to run again, if the session's new shell lacks their effect."""
        session = self._run.sessions.get(name)
        if session is None or not self.looking:
            return
        from trainsh_recipe.engine.resuming import shell_state  # noqa: PLC0415 - a first run does without

        only, also = shell_state.missing(self._main, self._run.state, self._run.values, session)
        if only:
            self.again |= dict.fromkeys(only, "sets the session's state")
            self._repeated = None
            which = f"step {only[0]} sets" if len(only) == 1 else f"steps {', '.join(only)} set"
            self._run.view.log(f"session {name} has a new shell; {which} it up again")
        if also:
            self._block(name, also)
        elif session.restored and session.left_out:
            self._run.view.log(f"session {name}: {shell_state.described(session.left_out)}")

    def _block(self, name: str, also: list[str]) -> None:
        text = next(each.step.text for each in self._main if each.id == also[0]).split("\n")[0]
        if self._run.state.options.from_step:
            self._run.view.log(f"session {name} has a new shell, which lacks what step {also[0]} set ({text})")
        else:
            self._stopped[name] = also[0]

    def stops(self, step: Numbered) -> Outcome | None:
        """Return the outcome of a step that cannot run, or None if the step can run.

        A step cannot run if it is lost, or if its shell lacks what an earlier step has set.
        """
        if step.closing or not isinstance(step.step, Execute | Wait):
            return None
        before = self._run.state.steps.get(step.id)
        lost = before is not None and before.status == "lost" and not self._run.state.options.retry_lost
        if before and lost and isinstance(step.step, Execute) and step.step.background:
            return Outcome(status="lost", reason=before.reason)
        first = self._stopped.get(step.step.session)
        if first is None:
            return None
        return Outcome(
            status="failed", own=False, more={"from": first},
            reason=f"session {step.step.session} is a new shell, and step {first} had set something in the "
            f"old one\n"
            f"to run that step again: train recipe resume {self._run.job.short_id} --from {first}",
        )  # fmt: skip

    def foreseen(self) -> str:
        """Return the step from which this failed job has to be resumed, or "" if the job can simply continue."""
        state = self._run.state
        if state.resume_from:
            return state.resume_from
        for name, session in state.sessions.items():
            steps = [each for each in self._main if getattr(each.step, "session", "") == name]
            also = any(getattr(each.step, "state", "") == "also" and self._done(each) for each in steps)
            if also and any(not self._done(each) for each in steps) and session.host_name not in state.stopped:
                with contextlib.suppress(TrainError):
                    told = self._machines.holds(session.host, [name], [], FORESEE_LIMIT)
                    _, stops = self.lacking(name, (told.get("sessions") or {}).get(name) or {})
                    if stops:
                        return stops[0]
        return ""

    def lacking(self, name: str, told: dict[str, Any]) -> tuple[list[str], list[str]]:
        """Return what `shell_state.missing` will return when the session is open again.

        `told` is the host's answer about the session.
        """
        session = self._run.sessions.get(name)
        if session is None or told.get("state") in ("running", "released"):
            return [], []
        from trainsh_recipe.engine.resuming import shell_state  # noqa: PLC0415 - a first run does without

        covers = told.get("covers")
        new = SessionState(name=name, host="", token="new", restored=covers is not None, covers=covers)
        new.left_out = told.get("left_out") or []
        return shell_state.missing(self._main, self._run.state, self._run.values, new)

    # Steps that ensure a state

    def repeated(self) -> set[str]:
        """Return the ids of finished steps that run again."""
        if not self.looking:
            return set()
        with self._run.lock:
            if self._repeated is None:
                self._repeated = self._ensuring() | {id for id in self.again if self._is_done(id)}
            return self._repeated

    def _ensuring(self) -> set[str]:
        """Return the ids of finished steps that ensure a state which still lasts and which other steps need."""
        from trainsh_recipe.engine.executors.verb import ensures  # noqa: PLC0415 - a first run does without

        found: set[str] = set()
        for place, each in enumerate(self._main):
            if not (isinstance(each.step, Control) and self._done(each) and ensures(self._run.tools, each.step)):
                continue
            later = self._main[place + 1 :]
            needed = any(not self._done(other) and self._needs(other, each.step) for other in later)
            closing = any(self._needs(other, each.step) for other in self._run.numbers if other.closing)
            unfinished = any(not self._done(other) for other in later)
            ended = any(ends(each.step, other) for other in later if self._done(other))
            if (needed or (closing and unfinished)) and not ended:
                found.add(each.id)
        return found

    def _needs(self, step: Numbered, ensuring: Control) -> bool:
        """Return whether a step needs the state that `ensuring` ensures.

        If `ensuring` opens a session, only the steps that use this session need it. If `ensuring` is a verb of a
        tool other than tmux, every step needs its state.
        """
        if ensuring.tool != "tmux":
            return True
        return isinstance(step.step, Execute | Wait) and step.step.session == ensuring.session

    def _done(self, each: Numbered) -> bool:
        return self._is_done(each.id) and each.id not in self.again

    def _is_done(self, id: str) -> bool:
        step: StepState | None = self._run.state.steps.get(id)
        return step is not None and step.done


def ends(step: Control, later: Numbered) -> bool:
    """Return whether `later` ends the state that `step` ensured, by closing the session or stopping the host."""
    other = later.step
    if not isinstance(other, Control) or other.tool != step.tool or other.verb not in ENDS:
        return False
    if step.tool == "tmux":
        return other.session == step.session
    return not other.host or not step.host or other.host == step.host
