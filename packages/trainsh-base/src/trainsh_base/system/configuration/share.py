"""Finds the files `share/trainsh/KIND/NAME`. In these files a tool describes itself, so that it need not be run.

The kinds are `tools` (a manifest: a line about the tool), `settings`, `secrets`, `aliases` and `provides`. The
folder `share` is next to the `bin` folder of the program.
"""

import os
import sys
from collections.abc import Iterator

PLACE = ("share", "trainsh")


def own_folders() -> list[str]:
    """Return the `share/trainsh` folders beside two `bin` folders: that of the running program, and that of its
    Python.
    """
    program = os.path.realpath(sys.argv[0])  # a link in ~/.local/bin leads to the installation
    return list(dict.fromkeys([_beside(program), os.path.join(sys.prefix, *PLACE)]))  # noqa: PTH118


def every_folder() -> list[str]:
    """Return the `share/trainsh` folders of this program and of every `train-*` program on PATH."""
    return list(dict.fromkeys([*own_folders(), *map(_beside, _programs())]))


def _beside(program: str) -> str:
    return os.path.join(os.path.dirname(os.path.dirname(program)), *PLACE)  # noqa: PTH118, PTH120


def _programs() -> Iterator[str]:
    for folder in os.get_exec_path():
        try:
            with os.scandir(folder or ".") as entries:
                yield from (os.path.realpath(entry.path) for entry in entries if entry.name.startswith("train-"))
        except OSError:
            continue


def read(folder: str, kind: str, name: str) -> str | None:
    """Return the text of one file, or None when it cannot be read."""
    try:
        with open(os.path.join(folder, kind, name), encoding="utf-8") as file:  # noqa: PTH118, PTH123
            return file.read()
    except (OSError, UnicodeDecodeError, ValueError):
        return None


def names(folder: str, kind: str) -> list[str]:
    """Return the names of the files of one kind in `folder`, sorted."""
    try:
        return sorted(os.listdir(os.path.join(folder, kind)))  # noqa: PTH118, PTH208
    except OSError:
        return []
