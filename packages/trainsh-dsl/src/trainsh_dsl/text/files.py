"""Reads recipes from files, writes them back and compares them."""

import sys

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.suggest import nearest
from trainsh_dsl.text.source import decode


def shown_name(file: str) -> str:
    """The name by which messages call a file."""
    return "stdin" if file == "-" else file


def read(file: str | None, text: str | None) -> str:
    """The recipe in `file`, or `text` itself. Exactly one of the two must be given.

    The file `-` means standard input. Raise `NotFound` if the file does not exist, and `UsageError` if it cannot be
    read.
    """
    if (file is None) == (text is None):
        raise UsageError("name one recipe file, or give its --text", "train dsl check my.recipe", code="no_recipe")
    if text is not None:
        return text
    if file == "-":
        return decode(sys.stdin.buffer.read())
    try:
        with open(str(file), "rb") as source:  # noqa: PTH123 - importing pathlib would cost every start 4 ms
            return decode(source.read())
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}", _near(str(file)), code="no_recipe") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{file} cannot be read: {reason}", code="unreadable") from None


def _near(file: str) -> str:
    """A hint that names the recipe in the same folder whose file name is most similar."""
    from pathlib import Path  # noqa: PLC0415 - only the hint of an error needs it

    folder = Path(file).parent
    there = {each.name: each for each in folder.glob("*.recipe")}
    near = nearest(Path(file).name, there)
    return f"did you mean {there[near]}?" if near else "train recipe list shows the recipes there are"


def write(file: str, text: str) -> None:
    """Replace the content of a file, but keep its mode. Raise `UsageError` if the file cannot be written."""
    from pathlib import Path  # noqa: PLC0415 - only --write needs it

    from trainsh_base.system.files import write_atomic  # noqa: PLC0415 - as above

    path = Path(file)
    try:
        write_atomic(path, text, mode=path.stat().st_mode & 0o777)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", code="unwritable") from None


def diff(before: str, after: str, name: str) -> str:
    """The unified diff of two texts, or "" if they are equal."""
    if before == after:
        return ""
    import difflib  # noqa: PLC0415 - only a recipe that changed needs it

    old, new = _lines(before), _lines(after)
    lines = difflib.unified_diff(old, new, name, f"{name} (canonical)")
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Split a text into lines that keep their line ends.

    `splitlines` is not used because it also splits at form feeds and similar characters.
    """
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
