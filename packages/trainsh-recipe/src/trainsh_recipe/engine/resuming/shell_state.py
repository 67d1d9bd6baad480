"""Which steps' effects a session's new shell lacks: its directory, variables, functions or options."""

from trainsh_base.system.step_numbers import attempt_name, order
from trainsh_recipe.engine.values import Values, refs
from trainsh_recipe.plan.document import Execute
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.state import SessionState, State


def missing(
    main: list[Numbered], state: State, values: Values, session: SessionState
) -> tuple[list[str], list[str]]:
    """Return (steps that only set state, steps that set state and did other work), in order.

    Only steps count that ended in an earlier shell of the session and are not covered by the restored snapshot.
    """
    only: list[str] = []
    also: list[str] = []
    for each in main:
        step, done = each.step, state.steps.get(each.id)
        if not isinstance(step, Execute) or step.session != session.name or done is None or done.status != "ok":
            continue
        if not step.state or step.background or done.token == session.token:
            continue
        secret = bool(session.left_out) and holds_secret(step, values)
        if covered(attempt_name(each.id, done.attempt), session) and not secret:
            continue
        (only if step.state == "only" else also).append(each.id)
    return only, also


def covered(name: str, session: SessionState) -> bool:
    """Whether the session was restored from a snapshot taken after the step `name` had ended."""
    if not session.restored:
        return False
    return session.covers is None or order(name) <= order(session.covers)


def holds_secret(step: Execute, values: Values) -> bool:
    """Whether the command uses a secret, directly or through a variable."""
    return any(part.secret or (part.var and _secret(part.var, values, 0)) for part in refs(step.command))


def _secret(name: str, values: Values, depth: int) -> bool:
    parts = refs(values.variable(name) or "")
    return depth < 20 and any(part.secret or _secret(part.var, values, depth + 1) for part in parts if part)
