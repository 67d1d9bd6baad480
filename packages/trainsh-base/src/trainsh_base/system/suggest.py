"""Suggests the most similar known name for an unknown one."""

from collections.abc import Iterable

# Each group has words for the same action, of tools here and elsewhere. The first one that a tool has is meant.
SYNONYMS = (
    ("delete", "remove", "rm", "reset", "unset", "destroy"), ("list", "ls", "show"), ("show", "get", "info"),
    ("add", "new", "create", "set", "open"), ("start", "up"),
    ("cancel", "stop", "close", "kill", "down", "kill-session"), ("ssh", "attach", "connect"), ("edit", "set"),
    ("rename", "mv", "move", "edit"), ("copy", "cp", "transfer"),
)  # fmt: skip


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most similar to `word`, or None if no known name is similar."""
    import difflib  # noqa: PLC0415 - only an error needs it

    names = list(known)
    by_fold = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a hint with the known name that is most similar to `word`.

    If no name is similar, return `otherwise`. If `otherwise` is empty too, return a list of the known names.
    """
    names = list(known)
    near = nearest(word, names)
    if near is not None:
        return f"did you mean {near}?"
    if otherwise:
        return otherwise
    return f"known: {', '.join(sorted(names))}" if names else "none is known yet"


def command_instead(word: str, known: Iterable[str]) -> str:
    """Return a hint for the unknown command `word`.

    The hint has the command with the same meaning (`delete` for `rm`), or else the command with the most similar
    name. If there is neither, the hint lists all commands.
    """
    names = list(known)
    meant = [name for group in SYNONYMS if word.casefold() in group for name in group if name in names]
    return f"did you mean {meant[0]}?" if meant else did_you_mean(word, names)
