"""The options of each kind of step: their names, types and order."""

from collections.abc import Callable

from trainsh_dsl.vocabulary import values

Check = Callable[[str], object]

GENERAL: dict[str, Check] = {
    "timeout": values.duration,
    "retry": values.count,
    "retry_delay": values.duration,
    "allow_fail": values.truth,
}
EXECUTE: dict[str, Check] = {**GENERAL, "grace": values.duration, "capture": values.variable}
TRANSFER: dict[str, Check] = {
    "delete": values.truth,
    "exclude": values.words,
    "include": values.words,
    "exclude_from": values.words,
    "gitignore": values.truth,
    "jobs": values.count,
    "checksum": values.truth,
    "verify": values.truth,
    "bwlimit": values.rate,
    "move": values.truth,
    "dry_run": values.truth,
    "as_is": values.truth,
    "required": values.truth,
    "hold": values.duration,
    **GENERAL,
}
REPEATABLE = frozenset(("exclude", "include", "exclude_from"))
ALL = frozenset((*EXECUTE, *TRANSFER))


def ordered(keys: list[str], kind: dict[str, Check]) -> list[str]:
    """The keys in the fixed order of their kind of step. Unknown keys come first, sorted by name."""
    place = {key: number for number, key in enumerate(kind)}
    return sorted(keys, key=lambda key: (place.get(key, -1), key if key not in place else ""))
