"""What the steps of one run share: state, journal, tools, values, and the request to end."""

import threading
from collections.abc import Callable
from typing import Any

from trainsh_base.system.secret import masked
from trainsh_recipe.engine.outside.cancellation import Cancel, Cancellation, Leave
from trainsh_recipe.engine.outside.limits import Limits
from trainsh_recipe.engine.outside.questions import Questions
from trainsh_recipe.engine.outside.signals import Signals
from trainsh_recipe.engine.outside.tools import Tools
from trainsh_recipe.engine.outside.view import GuardedView, View
from trainsh_recipe.engine.sessions import Sessions
from trainsh_recipe.engine.values import Secrets, Values
from trainsh_recipe.plan.document import Control, Plan
from trainsh_recipe.plan.numbering import Numbered, every, numbered
from trainsh_recipe.store.fold import apply
from trainsh_recipe.store.jobs import Job
from trainsh_recipe.store.journal import Journal, Silent
from trainsh_recipe.store.state import State


class Run:
    """One process's run of one job, whose lock it holds. `on_interrupt` handles Ctrl-C."""

    def __init__(
        self, job: Job, plan: Plan, state: State, journal: Journal | Silent, *, view: View, questions: Questions,
        tools: Tools, on_interrupt: Callable[["Run"], None],
    ) -> None:  # fmt: skip
        self.job, self.plan, self.state, self.journal = job, plan, state, journal
        self.questions, self.tools = questions, tools
        self.view = GuardedView(view, self._view_lost)
        self.unshown: Leave | None = None  # why nothing more can be shown
        self.secrets = Secrets(self._secret)
        self.values = Values(plan, state, self.secrets)
        self.cancellation = Cancellation()
        self.limits = Limits(state, self.cancellation, self.view)
        self.signals = Signals(self.cancellation, lambda: on_interrupt(self))
        self.steps, self.closing = numbered(plan)
        self.numbers: list[Numbered] = every([*self.steps, *self.closing])
        self.sessions = Sessions(state, job.id, tools, self.numbers)
        self.fresh: set[str] = set()  # sessions whose shell this process started
        # Called once, when the first request was sent: it loads the modules that the run needs only later.
        self.meanwhile: Callable[[], None] | None = None
        self.lock = threading.RLock()
        questions.answered = lambda seconds: self.record("question", seconds=round(seconds, 3))

    def _secret(self, name: str) -> str:
        return str(self.tools.peer("secrets").request("get", {"name": name}, timeout=120)["value"])

    def record(self, event: str, *, sync: bool = False, **data: Any) -> None:
        """Write an event to the journal and apply it to the state."""
        with self.lock:
            document = self.journal.write(event, **data)
            apply(self.state, document)
        if sync:
            self.journal.sync()
        self.view.event(document)
        if event in ("instance", "hosts"):
            self.limits.changed()

    def _view_lost(self, leave: Leave) -> None:
        """End the run, because nothing more can be shown. A job is interrupted; an `exec` is cancelled.

        If the job is being cancelled already, that goes on without output.
        """
        self.unshown = leave
        if not self.cancellation.accepted:
            exec_ = self.state.kind == "exec"
            self.cancellation.request(Cancel(leave.reason, leave.status) if exec_ else leave)

    def load_later(self) -> None:
        """Load the modules that are needed only later. A request was sent, and its answer takes a while."""
        load, self.meanwhile = self.meanwhile, None
        if load is not None:
            load()

    def resumable_after(self, step: Numbered) -> bool:
        """Return whether a resume may run steps after `step`, other than steps that close a session."""
        return self.state.failing or any(
            not each.children and each.id != step.id and not _closes(each) and not self._done(each.id)
            for each in self.numbers
        )

    def _done(self, id: str) -> bool:
        step = self.state.steps.get(id)
        return step is not None and step.done

    def masked(self, text: str) -> str:
        """Return the text with all secrets masked that this process has looked up."""
        return masked(text, self.secrets.values())

    def capture(self, name: str, value: str, step: str) -> None:
        """Set a variable to a step's standard output. If the value contains a secret, it is not written to disk."""
        if self.masked(value) != value:
            self.values.kept[name] = value
            self.view.log(f"${name} holds a secret, so it is not kept for a resume")
        else:
            self.record("binding", vars={name: value}, step=step)


def _closes(numbered: Numbered) -> bool:
    step = numbered.step
    return isinstance(step, Control) and step.tool == "tmux" and step.verb == "close"
