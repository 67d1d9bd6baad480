"""Finds out how a step ended. If what is known about the step is not enough, the host is asked."""

import time

from trainsh_base.system.units import format_duration
from trainsh_tmux.log.output import Output
from trainsh_tmux.model import Outcome, State
from trainsh_tmux.remote import step_scripts
from trainsh_tmux.session.live import Live
from trainsh_tmux.statuses import judge
from trainsh_tmux.step.handing import Step
from trainsh_tmux.step.known import Known
from trainsh_tmux.step.step_status import noted, read_captured


class Ending:
    """Returns the outcome of a step that is over. `late` means that the step's timeout has passed."""

    def __init__(self, live: Live, step: Step, known: Known, output: Output, *, late: bool) -> None:
        self._live, self._step, self._known, self._output, self._late = live, step, known, output, late

    @property
    def is_known(self) -> bool:
        """Whether the outcome is known without asking the host."""
        plain = self._known.marked and self._step.mode == "run"
        return plain and not self._late and not self._output.leaks.places

    def outcome(self) -> Outcome:
        """Return the outcome. Ask the host for what is not known. Raises NotStarted, Unreachable, BadAnswer."""
        live, known, output = self._live, self._known, self._output
        output.finish()
        if output.leaks.places:
            live.host.ask(step_scripts.mask_log(live.job, live.name, output.leaks.places))
        state, reason = self._judged()
        pid, start = known.process
        return Outcome(
            step=self._step.name, state=state, exit=None if state == "lost" else known.status, reason=reason,
            offset=known.offset, end=known.end,
            seconds=time.monotonic() - known.began, bytes=output.bytes, tail=output.tail(),
            captured=self._captured(), resumed=known.resumed, survived=known.survived,
            pid=pid, start=start, node=live.host.node or None,
        )  # fmt: skip

    def _judged(self) -> tuple[State, str]:
        known, step = self._known, self._step
        if step.background and known.status is None and not known.gone and not known.why:
            return "started", "running in the background"
        if known.why == "never":
            known.status = None
        why, late = known.why, ""
        if self._late and why not in ("stuck", "never"):
            # The step may have ended before its timeout although no event told so, for example while this machine
            # slept.
            why = self._ask_again()
            if known.status is None:
                why, late = "timeout", "; its host has not confirmed yet that it ended"
        elif not known.marked and why.partition(" ")[0] not in ("timeout", "never", "not-started", "stuck"):
            why = self._ask_again() or why
        state, reason = judge(known.status, why, format_duration(step.timeout) if step.timeout else "")
        still = f"; still running: {', '.join(known.survived)}" if known.survived else ""
        return state, reason + late + still

    def _captured(self) -> str | None:
        step, known = self._step, self._known
        with_session = known.why == "ended" and step.secrets  # the output was removed when the session ended
        if step.mode != "capture" or known.status is None or with_session:
            return None
        captured = read_captured(self._live, step.name)
        if step.secrets:
            self._live.taken.append(step.name)
        return captured

    def _ask_again(self) -> str:
        """Ask the host for the status that it recorded, store this status in `known`, and return the recorded
        reason.
        """
        status, why = noted(self._live, self._step.name)
        if status is not None:
            self._known.status = status
        return why
