"""Looks up the secrets that a run needs before its first step, so that a missing one is noticed at once."""

from typing import Any

import msgspec

from trainsh_base.errors import CredentialError, TrainError, UsageError
from trainsh_base.request import current
from trainsh_base.tool.peer import Peer
from trainsh_recipe.engine.outside.questions import Questions
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.engine.values import Secrets, given
from trainsh_recipe.plan import numbering
from trainsh_recipe.plan.document import Parallel, Plan, Text
from trainsh_recipe.store.options import Overrides
from trainsh_recipe.store.state import State

LIMIT = 120.0  # seconds in which a person types a passphrase


def needed(plan: Plan, overrides: Overrides, state: State | None = None, again: list[str] = []) -> list[str]:  # noqa: B006
    """Return the names of the secrets that the steps still to run need. Steps of `finally` count too.

    The secrets are in the texts and options of these steps, in the variables there, and in the specs of the hosts
    and storages there. `state` tells which steps are done; those in `again` run again.
    """
    done = {step.id for step in state.steps.values() if step.done} - set(again) if state is not None else set()
    steps = [each for each in numbering.all_of(plan) if not isinstance(each.step, Parallel)]
    todo = [each.step for each in steps if each.closing or each.id not in done]
    sessions = {getattr(step, "session", "") for step in todo} - {""}
    found = _Needed(plan, overrides)
    for step in todo:
        found.look(msgspec.to_builtins(step))
    for each in steps:  # a session may have to be opened again
        if getattr(each.step, "session", "") in sessions:
            found.name("host", getattr(each.step, "host", ""))
    return list(found.secrets)


class _Needed:
    """The secrets in parts of a plan, and in what these parts refer to."""

    def __init__(self, plan: Plan, overrides: Overrides) -> None:
        self.secrets: dict[str, None] = {}
        self._seen: set[tuple[str, str]] = set()
        self._given: dict[str, dict[str, Text]] = {
            "var": {name: given(text) for name, text in overrides.get("vars", {}).items()},
            "host": dict(overrides.get("hosts", {})), "storage": dict(overrides.get("storages", {})),
        }  # fmt: skip
        self._own: dict[str, dict[str, Text]] = {
            "var": {name: each.value for name, each in plan.vars.items()},
            "host": {name: each.spec for name, each in plan.hosts.items()},
            "storage": {name: each.spec for name, each in plan.storages.items()},
        }

    def look(self, value: Any) -> None:
        """Look for names in a part of the plan, as JSON."""
        if isinstance(value, list):
            for inner in value:
                self.look(inner)
        elif isinstance(value, dict):
            for key, inner in value.items():
                if isinstance(inner, str):
                    self.name(key, inner)
                else:
                    self.look(inner)

    def name(self, kind: str, name: str) -> None:
        """Note a secret, or look at what the name of another kind stands for."""
        if not name or (kind, name) in self._seen:
            return
        self._seen.add((kind, name))
        if kind == "secret":
            self.secrets[name] = None
        elif kind in self._own:
            value = self._given[kind].get(name, self._own[kind].get(name))
            self.look(msgspec.to_builtins(value))


def look_up(names: list[str], known: Secrets | None = None, *, rehearsed: bool = False) -> Secrets:
    """Return the secrets with their values. A person may be asked for a passphrase.

    Raises UsageError, which names all that are missing. If the run is only rehearsed, it is a CredentialError.
    """
    peers: list[Peer] = []
    questions = Questions(current(), View())  # a question arrives in a thread that serves no request

    def ask(name: str) -> str:
        if not peers:
            peers.append(Peer("secrets", on_ask=questions.ask))
        return str(peers[0].request("get", {"name": name}, timeout=LIMIT)["value"])

    found, missing, problem = Secrets(ask), [], None
    found.keep(known)
    try:
        for name in names:
            try:
                found.get(name)
            except TrainError as error:
                missing.append(name)
                if error.code != "no_secret":  # a locked file, for which nobody should be asked again
                    problem = error
                    break
    finally:
        for peer in peers:
            peer.close()
    if not missing:
        return found
    message, hint = _told(missing, problem)
    if rehearsed:
        raise CredentialError(message, hint, code="no_secret", data={"names": missing})
    raise UsageError(message, hint, code="missing_secret", data={"names": missing})


def _told(missing: list[str], problem: TrainError | None) -> tuple[str, str]:
    if problem is not None:
        return f"the secret {missing[-1]} cannot be read: {problem.message}; no step has run", problem.hint
    several = len(missing) > 1
    message = f"there are no secrets {', '.join(missing)}" if several else f"there is no secret {missing[0]}"
    stored = "".join(f"train secrets set {name}\n" for name in missing)
    passed = " ".join(f"{name}=..." for name in missing)
    them = "them" if several else "it"
    hint = f"store {them}:\n{stored}or pass {them} for this run only: {passed} train recipe run ..."
    return f"{message}, which the recipe needs; no step has run", hint
