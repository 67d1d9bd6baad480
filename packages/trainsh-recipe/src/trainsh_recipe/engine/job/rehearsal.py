"""`--dry-run`: resolves everything and changes nothing."""

from trainsh_base.errors import TrainError
from trainsh_recipe.engine.executors.verb import about
from trainsh_recipe.engine.values import Secrets, Values, refs
from trainsh_recipe.model import Planned
from trainsh_recipe.plan.document import (
    Control,
    Endpoint,
    Execute,
    Notify,
    Parallel,
    Plan,
    Ref,
    Sleep,
    Text,
    Transfer,
    Wait,
)
from trainsh_recipe.plan.numbering import Numbered, all_of
from trainsh_recipe.store.state import State


class Rehearsal:
    """Makes the steps of a plan as they would run: variables are replaced; secrets are looked up, but not shown."""

    def __init__(self, document: Plan, state: State, secrets: Secrets) -> None:
        self.values = Values(document, state, secrets)
        self.secrets = secrets
        self.sessions: dict[str, str] = {}
        self.later: set[str] = set()  # variables and hosts that a step of the recipe sets

    def steps(self) -> list[Planned]:
        """Return all steps. Raises CredentialError if a secret is missing."""
        self.values.status = "ok"
        found = []
        for each in all_of(self.values.plan):
            if not isinstance(each.step, Parallel):
                found.append(self._step(each))
        return found

    def _step(self, each: Numbered) -> Planned:
        step = each.step
        text, detail = step.text, ""
        if isinstance(step, Execute):
            text, detail = self._text(step.command), f"on {self.sessions.get(step.session, step.session)}"
            if step.options.capture:
                self.later.add(step.options.capture)
        elif isinstance(step, Wait):
            value = step.value if isinstance(step.value, int) else self._text(step.value)
            text, detail = (
                f"{step.condition} {value}".strip(),
                f"on {self.sessions.get(step.session, step.session)}",
            )
        elif isinstance(step, Transfer):
            text, detail = f"{self._end(step.source)} -> {self._end(step.destination)}", ""
        elif isinstance(step, Notify):
            text = self._text(step.message)
        elif isinstance(step, Sleep):
            text = f"{self.values.seconds(step.seconds):g} seconds"
        elif isinstance(step, Control):
            detail = self._control(step)
        return Planned(id=each.id, line=step.span.line, action=action(each), text=text, detail=detail)

    def _control(self, step: Control) -> str:
        if step.tool == "tmux" and step.verb == "open":
            self.sessions[step.session] = self._host(step.host)
            return f"on {self.sessions[step.session]}"
        if step.tool == "tmux":
            return f"on {self.sessions.get(step.session, step.session)}"
        names = about(all_of(self.values.plan), step)
        self.later.update(names)
        words = [self._text(arg) for arg in step.args if not isinstance(arg, Ref)]
        words += [f"{key}={self._text(value)}" for key, value in step.params.items()]
        return " ".join([*(f"@{name}" for name in names), *words])

    def _end(self, end: Endpoint) -> str:
        path = self._text(end.path)
        if end.host:
            return f"{self._host(end.host)}:{path}"
        if end.storage:
            return (
                f"{self.values.shown(self.values.plan.storages[end.storage].spec)}{path}"
                if not self._given(end.storage)
                else f"{self.values.storage(end.storage)}{path}"
            )
        return path

    def _given(self, name: str) -> bool:
        return name in self.values.state.overrides.get("storages", {})

    def _host(self, name: str) -> str:
        if name in self.later and name not in self.values.state.overrides.get("hosts", {}):
            return f"@{name}"
        return self.values.host(name)

    def _text(self, text: Text | Ref) -> str:
        """Return the text with its variables replaced, except those that a step of the recipe sets.

        The secrets in the text are looked up, so that a missing one is noticed.
        """
        if isinstance(text, Ref):
            return self._text([text])
        for ref in refs(text):
            if ref.secret:
                self.secrets.get(ref.secret)
        parts = [text] if isinstance(text, str) else text
        return "".join(part if isinstance(part, str) else self._part(part) for part in parts)

    def _part(self, part: Ref) -> str:
        try:
            found = self.values.variable(part.var) if part.var else None
            if isinstance(found, list):
                return self._text(found)
            return self.values.shown([part])
        except TrainError as error:
            if error.code == "no_value" and part.var in self.later:
                return f"${part.var}"
            raise


def action(each: Numbered) -> str:
    """Return the kind of a step, as one word."""
    step = each.step
    word = f"{step.tool}.{step.verb}" if isinstance(step, Control) else step.kind
    return f"{word} &" if isinstance(step, Execute) and step.background else word
