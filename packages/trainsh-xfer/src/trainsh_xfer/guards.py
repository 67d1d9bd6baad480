"""What a transfer refuses to do: delete where everything lies, or read and write one place at once."""

import os
from collections.abc import Sequence

from trainsh_base.errors import UsageError
from trainsh_xfer.folders import means_contents
from trainsh_xfer.model import Options

SYSTEM = frozenset(
    ["/", *(f"/{name}" for name in ("bin", "boot", "dev", "etc", "home", "lib", "lib32", "lib64", "opt", "proc"))]
    + [f"/{name}" for name in ("root", "run", "sbin", "srv", "sys", "tmp", "usr", "var", "private")]
    + [f"/{name}" for name in ("Applications", "Library", "System", "Users", "Volumes")]
)


def check_deletion(sources: Sequence[str], destination: str, homes: Sequence[str]) -> None:
    """Refuse to make a whole system folder or a home folder equal to a source (`--force` does it).

    `destination` and `homes` are paths of the machine they are on. A source without a trailing slash only
    deletes below a folder of its own name, which is safe enough.
    """
    folder = destination.rstrip("/") or "/"
    if not any(means_contents(source) for source in sources):
        return
    if folder in SYSTEM or any(_within(home, folder) for home in homes) or _is_home(folder):
        raise UsageError(
            f"--delete would remove everything in {destination} that the source lacks",
            "name a folder below it, or add --force if that is what you want",
            code="dangerous_delete", data={"path": destination},
        )  # fmt: skip


def _is_home(folder: str) -> bool:
    """`~`, `~user`, `/home/user`, and what is the same without a path: a host's home."""
    if folder in (".", "./.", "~", "~/."):
        return True
    if folder.startswith("~") and "/" not in folder:
        return True
    parts = folder.split("/")
    return len(parts) == 3 and parts[0] == "" and parts[1] in ("home", "Users")


def check_overlap(sources: Sequence[str], destination: str, options: Options) -> None:
    """Refuse a local copy onto itself, and one inside the other where that loses or repeats files."""
    target = os.path.realpath(destination)
    for source in sources:
        real = os.path.realpath(source)
        lands = target if means_contents(source) or not os.path.isdir(source) else _inside(target, real)  # noqa: PTH112
        if os.path.isdir(target) and not os.path.isdir(real):  # noqa: PTH112
            lands = _inside(target, real)
        if lands == real:
            raise UsageError(f"source and destination are the same: {real}", code="same_place")
        if _within(lands, real) and os.path.isdir(real) and not (options.exclude and not options.move):  # noqa: PTH112
            raise UsageError(
                f"{lands} is inside its source {real}",
                f"leave it out: --exclude /{os.path.relpath(lands, real).split('/')[0]}",
                code="inside_source",
            )
        if options.delete and means_contents(source) and _within(real, lands):
            raise UsageError(
                f"--delete would remove the source: {real} is inside {lands}", "choose another destination",
                code="inside_destination",
            )  # fmt: skip


def _inside(folder: str, path: str) -> str:
    return os.path.join(folder, os.path.basename(path))  # noqa: PTH118, PTH119 - text in, text out


def _within(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
