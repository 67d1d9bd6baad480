"""Texts that are installed beside the tools: the topics of `train help`, and the scripts by which shells
complete.
"""

from pathlib import Path

import msgspec

from trainsh_base.errors import NotFound
from trainsh_base.system.configuration import share

SHELLS = {"bash": "train.bash", "zsh": "_train", "fish": "train.fish"}


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page about a subject that concerns several commands. `summary` is the first line of the page."""

    name: str
    summary: str
    text: str


def topics() -> list[Topic]:
    """Return the topics of this installation, sorted by name."""
    found: dict[str, Topic] = {}
    for folder in share.own_folders():
        for name in share.names(folder, "topics"):
            text = share.read(folder, "topics", name)
            if text:
                found.setdefault(name, Topic(name=name, summary=text.partition("\n")[0], text=text))
    return [found[name] for name in sorted(found)]


def shell_file(shell: str) -> Path:
    """Return the path of the script by which `shell` completes train.

    Raises NotFound if this installation does not have the script.
    """
    for folder in map(Path, share.own_folders()):
        path = folder / "shell" / SHELLS[shell]
        if path.is_file():
            return path
    raise NotFound(
        f"this installation has no completion for {shell}", "install it again: uv tool install tmux-trainsh"
    )
