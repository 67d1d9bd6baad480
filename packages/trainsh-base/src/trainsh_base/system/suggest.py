"""Suggests the nearest known name for an unknown one."""

from collections.abc import Iterable

# Words for the same action, of which a tool has one.
SYNONYMS = (("delete", "remove", "rm"), ("list", "ls"), ("show", "get"))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name most similar to `word`, or None when none is close."""
    import difflib  # noqa: PLC0415 - only an error needs it

    names = list(known)
    by_fold = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a hint with the nearest name; without one, `otherwise` or the list of known names."""
    names = list(known)
    near = nearest(word, names)
    if near is not None:
        return f"did you mean {near}?"
    if otherwise:
        return otherwise
    return f"known: {', '.join(sorted(names))}" if names else "none is known yet"


def command_instead(word: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown command: the command of the same meaning (`delete` for `rm`), else of a similar
    spelling, else the list of commands."""
    names = list(known)
    meant = [name for group in SYNONYMS if word.casefold() in group for name in group if name in names]
    return f"did you mean {meant[0]}?" if meant else did_you_mean(word, names)
