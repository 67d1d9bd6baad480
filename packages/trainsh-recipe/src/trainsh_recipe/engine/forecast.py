"""Shows what a resume would do with each step (`resume --check`).

Hosts are asked about their state, and nothing is changed.
"""

from typing import Any

from trainsh_base.errors import TrainError
from trainsh_base.system.step_numbers import attempt_name
from trainsh_recipe.engine.runner import Runner
from trainsh_recipe.model import Planned
from trainsh_recipe.plan.document import Control, Execute, Parallel
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.state import StepState

ASK_LIMIT = 120.0
STOPS = "resume stops here; --retry-lost runs the step again"


class Forecast:
    """Makes the table for a job that `runner` would resume. The runner's journal must be a `Silent`."""

    def __init__(self, runner: Runner) -> None:
        self._run, self._ground = runner.run, runner.ground
        self._lacking: dict[str, tuple[list[str], list[str]]] = {}
        self._next = False

    def rows(self) -> list[Planned]:
        """Return a row for each step; `action` is what would be done, `detail` the reason."""
        state, found = self._run.state, []
        over = bool(state.closing or state.failing)
        for each in self._run.numbers:
            if isinstance(each.step, Parallel):
                continue
            if each.closing:
                row = self._closing(each)
            elif over and not self._done(each):
                row = "left out", "a step failed, and finally had not ended"
            else:
                row = self._expected(each)
            text = each.step.text
            found.append(Planned(id=each.id, line=each.step.span.line, action=row[0], text=text, detail=row[1]))
        return found

    def _done(self, each: Numbered) -> bool:
        step = self._run.state.steps.get(each.id)
        return step is not None and step.done

    def _closing(self, each: Numbered) -> tuple[str, str]:
        step = self._run.state.steps.get(each.id)
        over = step is not None and step.round == self._run.state.round and step.over
        return ("done", "") if over else ("run", "finally")

    def _expected(self, each: Numbered) -> tuple[str, str]:
        self._ground.look(each)
        step = self._run.state.steps.get(each.id)
        if each.id in self._ground.again:
            return f"again ({self._ground.again[each.id]})", ""
        if step is not None and step.done:
            return self._held(each)
        retry_lost = self._run.state.options.retry_lost
        if step is not None and step.status == "lost" and not retry_lost:
            return "lost", STOPS
        stops = self._stops(each)
        if stops:
            return "stop", f"its session lacks what step {stops} set; to run that step again: --from {stops}"
        first, self._next = not self._next, True
        word, detail = self._undone(each, step)
        if word == "lost" and not retry_lost:
            return "lost", STOPS
        return ("next" if first else word), detail or ("" if not first else word if word != "run" else "")

    def _held(self, each: Numbered) -> tuple[str, str]:
        """Return (action, detail) for a finished step.

        The step stays done, or its session is opened again, or the step runs again to set up the state of its
        session.
        """
        session = getattr(each.step, "session", "")
        if isinstance(each.step, Execute):
            only, _ = self._session(session)
            return ("again (sets the session's state)", "") if each.id in only else ("done", "")
        if each.id not in self._ground.repeated():
            if self._ground.tell_changed(each):
                return "done (its source has changed)", f"to repeat it: {self._ground.sources.again(each)}"
            return "done", ""
        if isinstance(each.step, Control) and each.step.tool == "tmux":
            told = self._told(session)
            if not told or told.get("state") in ("running", "released"):
                return "done", "the session is open" if told else ""
            if told.get("covers") is None:
                return "again (new shell)", "the session is opened again"
            return "restored", "the session is opened again, with its directory and variables"
        return "ensured", "runs again, to ensure its state"

    def _told(self, session: str) -> dict[str, Any]:
        held = self._ground.held.get(self._run.sessions.host_of(session))
        return held.sessions.get(session) or {} if held else {}

    def _session(self, name: str) -> tuple[list[str], list[str]]:
        if name not in self._lacking:
            told = self._told(name)
            self._lacking[name] = self._ground.lacking(name, told) if told else ([], [])
        return self._lacking[name]

    def _stops(self, each: Numbered) -> str:
        session = getattr(each.step, "session", "")
        if not session or self._run.state.options.from_step:
            return ""
        _, also = self._session(session)
        return also[0] if also else ""

    def _undone(self, each: Numbered, step: StepState | None) -> tuple[str, str]:
        if step is None:
            return "run", ""
        if isinstance(each.step, Execute) and not (step.over and step.status != "lost"):
            return self._asked(each, step)
        if step.status == "running":
            return "run", f"attempt {step.attempt} was started"
        return "run", f"{step.status}: {step.reason}".split("\n")[0].rstrip(": ")

    def _asked(self, each: Numbered, step: StepState) -> tuple[str, str]:
        assert isinstance(each.step, Execute)
        session = self._run.state.sessions.get(each.step.session)
        if session is None:
            return "run", "its session was never opened"
        if step.status == "lost":
            return "run", "it was lost"
        params: dict[str, Any] = {
            "session": session.name, "host": session.host, "job": self._run.job.id,
            "step": attempt_name(each.id, step.attempt), "command": "", "only_ask": True,
        }  # fmt: skip
        try:
            answer = self._run.tools.peer("tmux").request("run", params, timeout=ASK_LIMIT)
        except TrainError as error:
            return "run", f"the host cannot be asked now: {error.message}"
        gone = self._told(session.name).get("state") == "gone"
        if answer["state"] == "lost" or (answer["state"] == "running" and (step.gone or gone)):
            return "lost", "its session is gone; --retry-lost runs it again"
        words = {
            "never": ("run", "it never arrived at the host"),
            "running": ("wait for it", "it is still running; resume waits for it"),
        }
        ended = ("take its result", f"it has ended since, with exit {answer.get('exit')}")
        return words.get(answer["state"], ended)
