"""Collects the names that are defined at an offset: variables, hosts, storages and open sessions."""

import msgspec

from trainsh_dsl.grammar.scope import BUILT_IN, Scope
from trainsh_dsl.grammar.syntax import Close, Execute, Open, Recipe, every


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """The names that may be written at one offset of a recipe.

    Each maps to the offset of the statement that defines it. `variables` also has captured variables, and the
    variables that train itself sets; these have the offset -1. `sessions` maps each session that is open at the
    offset to the session's host.
    """

    variables: dict[str, int]
    hosts: dict[str, int]
    storages: dict[str, int]
    sessions: dict[str, str]


def names_at(recipe: Recipe, scope: Scope, offset: int) -> Names:
    """The names that are defined at `offset`.

    The steps of a parallel block count as if they ran in the order of the text.
    """
    variables = {name: -1 for name in BUILT_IN if name != "JOB_STATUS" or 0 <= recipe.finally_at < offset}
    variables |= {name: node.name_at for name, node in scope.vars.items() if node.end <= offset}
    sessions: dict[str, str] = {}
    for node in every(recipe.steps + recipe.closing):
        if node.start >= offset:
            break
        if isinstance(node, Open) and node.session:
            sessions[node.session] = node.host
        elif isinstance(node, Close) or (isinstance(node, Execute) and node.ends):
            sessions.pop(node.session, None)
        if isinstance(node, Execute) and node.captures:
            variables[node.captures] = node.start
    return Names(
        variables=variables,
        hosts={name: node.name_at for name, node in scope.hosts.items() if node.end <= offset},
        storages={name: node.name_at for name, node in scope.storages.items() if node.end <= offset},
        sessions=sessions,
    )
