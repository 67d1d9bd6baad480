"""Finds the available commands without running a tool.

Their names come from the dispatcher `train`, their summaries from manifests (a line of text about each tool)."""

import os
import shutil
import sys
from pathlib import Path

import msgspec

from trainsh_base.errors import MissingProgram
from trainsh_base.system.proc import run

MANIFESTS = Path("share/trainsh/tools")
LINES_OF_HEAD = 10


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One command. For a program without a manifest, `group` and `summary` are empty."""

    name: str
    group: str
    summary: str
    path: str
    on_path: bool


class Shortcut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A word that stands for a command together with its first argument."""

    name: str
    means: str


def dispatcher() -> str:
    """Return the path of the program `train`: the one beside this program, else the one on PATH.

    Raises MissingProgram if there is neither.
    """
    for folder in (Path(sys.argv[0]).resolve().parent, Path(sys.executable).parent):
        if os.access(folder / "train", os.X_OK):
            return str(folder / "train")
    found = shutil.which("train")
    if not found:
        raise MissingProgram("train itself is not installed beside train-help", "uv tool install tmux-trainsh")
    return found


def entries() -> list[Entry]:
    """Return every command that `train` would find, in the order in which `train --list` prints them."""
    train = dispatcher()
    folder = Path(_lines(train, "--exec-path")[0])
    return [_entry(line, folder) for line in _lines(train, "--list")]


def shortcuts() -> list[Shortcut]:
    """Return the shortcuts that `train --aliases` prints."""
    pairs = (line.partition("=") for line in _lines(dispatcher(), "--aliases"))
    return [Shortcut(name=name, means=means) for name, _, means in pairs]


def near(word: str, names: list[str]) -> list[str]:
    """Return up to three of `names` that are similar to `word`, the most similar one first."""
    import difflib  # noqa: PLC0415 - only for a word that is unknown

    return difflib.get_close_matches(word.casefold(), names, n=3, cutoff=0.6)


def _lines(train: str, option: str) -> list[str]:
    return os.fsdecode(run([train, option]).stdout).splitlines()


def _entry(line: str, folder: Path) -> Entry:
    name, _, mark = line.partition("\t")
    program = f"train-{name}"
    path = Path(shutil.which(program) or program) if mark else folder / program
    group, summary = _manifest(path.resolve().parent.parent / MANIFESTS / name)
    if mark and not summary:
        summary = script_summary(path)
    return Entry(name=name, group=group, summary=summary, path=str(path), on_path=bool(mark))


def script_summary(path: Path) -> str:
    """Return the summary of a script. It is in a line `# summary: ...` among the script's first ten lines.

    If there is no such line, or if the program is not a script, the summary is empty.
    """
    try:
        with path.open("rb") as file:
            if file.read(2) != b"#!":
                return ""
            head = [file.readline(500) for _ in range(LINES_OF_HEAD)]
    except OSError:
        return ""
    for line in head:
        words = line.decode(errors="replace").strip()
        if words.startswith("# summary:"):
            return words.removeprefix("# summary:").strip()
    return ""


def _manifest(file: Path) -> tuple[str, str]:
    """Return the group and the summary in a one-line manifest.

    Both are empty if the file is missing or malformed.
    """
    try:
        words = file.read_text(encoding="utf-8").strip().split("\t")
    except (OSError, UnicodeDecodeError):
        return "", ""
    return (words[1], words[2]) if len(words) == 3 and "\n" not in words[2] else ("", "")
