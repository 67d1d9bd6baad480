"""Finds the steps whose effect (directory, variables, functions, options) a session's new shell lacks."""

import re

from trainsh_base.system.step_numbers import attempt_name, order
from trainsh_recipe.engine.values import Values, refs
from trainsh_recipe.plan.document import Execute
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.state import SessionState, State


def missing(
    main: list[Numbered], state: State, values: Values, session: SessionState
) -> tuple[list[str], list[str]]:
    """Return the steps whose effect is missing, in order: (those that only set state, those that did more).

    These steps ended in an earlier shell of the session, and the restored snapshot does not have their effect: they
    ended after the snapshot, or they may have set something that the snapshot leaves out (`session.left_out`).
    """
    only: list[str] = []
    also: list[str] = []
    for each in main:
        step, done = each.step, state.steps.get(each.id)
        if not isinstance(step, Execute) or step.session != session.name or done is None or not done.done:
            continue
        if not step.state or step.background or done.status == "skipped" or done.token == session.token:
            continue
        if covered(attempt_name(each.id, done.attempt), session) and not lacks(step, values, session.left_out):
            continue
        (only if step.state == "only" else also).append(each.id)
    return only, also


def covered(name: str, session: SessionState) -> bool:
    """Return whether the session was restored from a snapshot that was taken after the step `name` had ended."""
    if not session.restored or session.covers == "":
        return False
    return session.covers is None or order(name) <= order(session.covers)


def lacks(step: Execute, values: Values, left_out: list[str]) -> bool:
    """Return whether the step may have set something in `left_out`, the names of what a snapshot leaves out.

    It may have if its text contains such a NAME in another form than `$NAME`. It also may have if the step uses a
    secret and `left_out` is not empty.
    """
    names = [name.removeprefix("alias:").removesuffix("()") for name in left_out]
    special = {"positional": r"\bset\b|\bshift\b", "traps": r"\btrap\b"}
    patterns = [
        r"\bexec\b" if name.startswith("fd:") else special.get(name, rf"(?<![$\w{{]){re.escape(name)}(?!\w)")
        for name in names
    ]
    return any(re.search(pattern, step.text) for pattern in patterns) or (
        bool(names) and holds_secret(step, values)
    )


def described(left_out: list[str]) -> str:
    """Return a text for people about what a new shell did not get back from a snapshot: variables, descriptors."""
    descriptors = [name.removeprefix("fd:") for name in left_out if name.startswith("fd:")]
    rest = [_for_people(name) for name in left_out if not name.startswith("fd:")]
    parts = [f"not restored, because a secret was in them: {', '.join(rest)}"] if rest else []
    parts += [f"open file descriptors were not restored: {', '.join(descriptors)}"] if descriptors else []
    return "; ".join(parts)


def _for_people(name: str) -> str:
    return {"positional": "positional parameters"}.get(name, name.replace("alias:", "alias "))


def holds_secret(step: Execute, values: Values) -> bool:
    """Return whether the command uses a secret, directly or through a variable."""
    return any(part.secret or (part.var and _secret(part.var, values, 0)) for part in refs(step.command))


def _secret(name: str, values: Values, depth: int) -> bool:
    parts = refs(values.variable(name) or "")
    return depth < 20 and any(part.secret or _secret(part.var, values, depth + 1) for part in parts if part)
