"""Checks who can read or change files with settings, secrets and keys."""

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from trainsh_base.doctor.model import Finding, State
from trainsh_base.system import paths

NAME = "permissions"


def permissions() -> list[Finding]:
    """Return the findings about train's files, then those about ssh's files.

    If nothing is wrong, return one finding with the state `ok`.
    """
    return [*_ours(), *_of_ssh()] or [
        Finding(name=NAME, state="ok", detail="only you can read settings, jobs and keys")
    ]


def _ours() -> Iterator[Finding]:
    """Find folders of train that others can enter, folders that we cannot enter, and files that others can read."""
    home = paths.config_home()
    for folder in (home, paths.jobs_home()):
        found = _mode(folder)
        if found is None:
            continue
        if found & 0o077:
            yield _open(folder, found, "warning", "700")
        elif not os.access(folder, os.W_OK | os.X_OK):
            fix = f"chmod 700 {shlex.quote(str(folder))}"
            yield Finding(name=NAME, state="problem", detail=f"{folder} is closed", fix=fix)
    for name in ("config.toml", "hosts.toml", "storages.toml", "secrets.age", "secrets.age.key"):
        found = _mode(home / name)
        if found is not None and found & 0o077:
            yield _open(home / name, found, "warning", "600")


def _of_ssh() -> Iterator[Finding]:
    """Find files in ~/.ssh that ssh refuses to use, because others can read or change them."""
    folder = Path.home() / ".ssh"
    for path in (folder, folder / "config"):
        found = _mode(path)
        if found is not None and found & 0o022:
            yield _open(path, found, "problem", "700" if path == folder else "600")
    for path in sorted(folder.glob("id_*")) if _mode(folder) is not None else []:
        found = _mode(path)
        if path.suffix != ".pub" and found is not None and found & 0o077:
            yield _open(path, found, "problem", "600")


def _open(path: Path, mode: int, state: State, wanted: str) -> Finding:
    return Finding(
        name=NAME, state=state, detail=f"{path} is open to others ({mode:o})",
        fix=f"chmod {wanted} {shlex.quote(str(path))}",
    )  # fmt: skip


def _mode(path: Path) -> int | None:
    """Return the permission bits of `path`; None if it does not exist."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
