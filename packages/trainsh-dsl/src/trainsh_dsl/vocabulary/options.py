"""The options of each kind of step: which there are, their types and their order."""

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
    "checksum": values.truth,
    "verify": values.truth,
    "bwlimit": values.rate,
    "move": values.truth,
    "dry_run": values.truth,
    **GENERAL,
}
REPEATABLE = frozenset(("exclude", "include"))
ALL = frozenset((*EXECUTE, *TRANSFER))

# Options of the verbs that the README documents, in its order. An installed tool's own schema wins.
DOCUMENTED: dict[str, dict[str, Check]] = {
    "vast.pick": {
        "num_gpus": values.count,
        "min_gpu_ram": values.words,
        "gpu": values.words,
        "max_dph": values.words,
        "limit": values.count,
    },
    "vast.wait": {"timeout": values.duration, "poll": values.duration, "stop_on_fail": values.truth},
}


def ordered(keys: list[str], kind: dict[str, Check]) -> list[str]:
    """The keys in the fixed order of their kind; those it does not know come first, by name."""
    place = {key: number for number, key in enumerate(kind)}
    return sorted(keys, key=lambda key: (place.get(key, -1), key if key not in place else ""))
