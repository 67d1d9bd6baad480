"""Reads rules from files: from the files of --exclude-from, and from .gitignore files.

The rules of .gitignore files are translated to rsync's rules. In .gitignore files (gitignore(5)) the last line that
matches decides, and a file in a deeper folder decides before a file above it. `!` includes again. A pattern with a
slash before its end is relative to the folder of its file; any other pattern matches at every depth below that
folder. In rsync (rsync(1)) the first rule that matches decides.
"""

import os
import re
from pathlib import Path

from trainsh_base.errors import NotFound, UsageError
from trainsh_xfer.endpoints.local_paths import absolute

GITIGNORE = ".gitignore"


def excluded_from(file: str, cwd: str) -> list[str]:
    """The rules in a file of patterns, which has one pattern in each line.

    The file is read as rsync reads it: blank lines and lines that begin with `#` or `;` are comments, and `+
    PATTERN` includes. Raises NotFound or UsageError when the file cannot be read.
    """
    path = Path(absolute(file, cwd, literal=False)[0])
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        raise NotFound(f"no such file: {path}", "--exclude-from takes a file of patterns", code="no_file") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", code="bad_file") from None
    return [_rule(line) for line in lines if line.strip() and not line.startswith(("#", ";"))]


def _rule(line: str) -> str:
    return line if line.startswith(("+ ", "- ")) else f"- {line}"


def gitignores(folder: str) -> list[tuple[str, str]]:
    """Each .gitignore file below `folder` on this machine, as its folder (relative to `folder`) and its text."""
    found = []
    for at, folders, files in os.walk(folder):
        if ".git" in folders:
            folders.remove(".git")
        if GITIGNORE in files:
            text = Path(at, GITIGNORE).read_text(encoding="utf-8", errors="surrogateescape")
            found.append((os.path.relpath(at, folder), text))
    return found


def printed_gitignores(text: str) -> list[tuple[str, str]]:
    """Do the same as `gitignores` for the files on a host.

    `text` is the output of the shell function `print_gitignores`.
    """
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "gitignore":
            found.append((os.path.dirname(rest), []))  # noqa: PTH120 - a path on a host
        elif word == "line" and found:
            found[-1][1].append(rest)
    return [(folder, "\n".join(lines)) for folder, lines in found]


def translated(files: list[tuple[str, str]], root: str) -> list[str]:
    """Rules of rsync that have the same effect as the .gitignore files `files`.

    `root` is the folder to which the files' folders are relative, as rsync names it: `/` or `/NAME/`.
    """
    deepest_first = sorted(files, key=lambda one: (-os.path.normpath(one[0]).count("/") - (one[0] != "."), one[0]))
    return [
        rule
        for folder, text in deepest_first
        for line in reversed(text.splitlines())
        for rule in _git_rules(line, _below(root, folder))
    ]


def _below(root: str, folder: str) -> str:
    inside = os.path.normpath(folder)
    return root if inside == "." else f"{root}{inside}/"


def _git_rules(line: str, folder: str) -> list[str]:
    """The rules for one line of the .gitignore file in `folder`. The text `folder` begins and ends with a slash."""
    pattern = re.sub(r"(?<!\\) +$", "", line)
    if not pattern or pattern.startswith("#"):
        return []
    sign = "+" if pattern.startswith("!") else "-"
    pattern = re.sub(r"^\\(?=[#!])", "", pattern.removeprefix("!"))
    anchored = "/" in pattern.rstrip("/")
    pattern = pattern.removeprefix("/")
    if pattern.startswith("**/"):
        pattern = pattern[3:]
        anchored = False
    if not set(pattern) & set("*?["):  # rsync reads a backslash literally in a pattern without wildcards
        pattern = re.sub(r"\\(.)", r"\1", pattern)
    forms = [pattern, pattern.replace("/**/", "/")] if "/**/" in pattern else [pattern]
    if not anchored and folder == "/":
        return [f"{sign} {form}" for form in forms]
    starts = [folder] if anchored else [folder, f"{folder}**/"]
    return [f"{sign} {start}{form}" for form in forms for start in starts]
