"""Finds host specs that are a single word, if this machine knows no host with this name."""

from collections.abc import Callable

from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.grammar.syntax import Recipe
from trainsh_dsl.text.patterns import lazy

_BARE = lazy(r"[A-Za-z0-9][\w-]*\Z")


def unknown_hosts(
    recipe: Recipe, given: set[str], hint_of: Callable[[str], str | None], findings: Findings
) -> None:
    """Report W210 for each host spec that is a single word and names no known host.

    `given` holds the hosts that the command line sets. `hint_of` returns a hint for an unknown name, and None for a
    known name.
    """
    for each in recipe.definitions:
        plain = each.sort == "host" and each.type == "name" and isinstance(each.text, str)
        if not plain or each.name in given or not _BARE.match(each.raw):
            continue
        hint = hint_of(each.raw)
        if hint is not None:
            findings.add(
                "W210", each.value_at, each.value_at + len(each.raw),
                f"this machine knows no host {each.raw}: neither train-host nor ssh does", hint,
            )  # fmt: skip
