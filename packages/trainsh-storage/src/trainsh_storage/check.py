"""Tests a storage in stages: writes a small object, reads it, lists it and deletes it."""

import contextlib
import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from trainsh_base.errors import Conflict, RemoteError, TrainError
from trainsh_base.tool.peer import call
from trainsh_storage import rclone
from trainsh_storage.model import Resolved, Stage, Storage
from trainsh_storage.resolve import resolve

HOST_LIMIT = 60.0  # seconds for one command on a host, with its login

Stages = list[tuple[str, Callable[[], str]]]
Cause = Literal["", "authentication", "permission", "bucket", "network"]
CAUSES: dict[str, Cause] = {
    "refused": "authentication", "no_credential": "authentication", "forbidden": "permission",
    "no_bucket": "bucket", "no_folder": "bucket", "unreachable": "network", "no_answer": "network",
}  # fmt: skip


def stages(storage: Storage) -> Iterator[Stage]:
    """Yield each stage when it ends.

    After a failure the remaining stages are skipped. But the object is deleted if the service can be reached.
    """
    try:
        place = resolve(storage, "STORAGE")
    except TrainError as error:
        yield failed("settings", error)
        yield from _skipped(["write", "read", "list", "delete"])
        return
    yield Stage(name="settings", state="ok", detail=_engine(place))
    yield from _run(_host_stages(place) if place.engine == "host" else _object_stages(place))


def _engine(place: Resolved) -> str:
    words = {"folder": "a folder of this machine", "host": f"a folder on {place.host}", "rclone": "through rclone"}
    return words[place.engine]


def _run(found: Stages) -> Iterator[Stage]:
    broken, gone = False, False
    for name, act in found:
        if gone or (broken and name != "delete"):
            yield from _skipped([name])
            continue
        try:
            yield Stage(name=name, state="ok", detail=act())
        except TrainError as error:
            if not broken:
                yield failed(name, error)
            else:
                yield from _skipped([name])
            broken = True
            gone = CAUSES.get(error.code) == "network"


def failed(stage: str, error: TrainError) -> Stage:
    """The result of the stage that failed with `error`."""
    return Stage(
        name=stage, state="failed", detail=error.message, fix=error.hint, exit=error.exit_status,
        cause=CAUSES.get(error.code, ""),
    )  # fmt: skip


def _skipped(names: list[str]) -> Iterator[Stage]:
    for name in names:
        yield Stage(name=name, state="skipped")


def _object_stages(place: Resolved) -> Stages:
    name = f".train-test-{os.urandom(6).hex()}"
    content = os.urandom(16).hex().encode()
    if place.engine == "folder":
        return _folder_stages(Path(place.root) / name, content)
    target = rclone.path(place, name)

    def read() -> str:
        if rclone.ask(place, "cat", target) != content:
            raise RemoteError("the object that was read differs from the one written", code="not_the_same")
        return ""

    def list_() -> str:
        rows = msgspec.json.decode(rclone.ask(place, "lsjson", rclone.path(place), "--files-only"))
        if name not in [row["Name"] for row in rows]:
            raise RemoteError(
                f"the listing ({len(rows)} files) does not contain the test object", code="not_listed"
            )
        return _others(len(rows) - 1)

    return [
        ("write", lambda: rclone.ask(place, "rcat", target, input=content).decode()),
        ("read", read),
        ("list", list_),
        ("delete", lambda: rclone.ask(place, "deletefile", target).decode()),
    ]


def _folder_stages(file: Path, content: bytes) -> Stages:
    def write() -> str:
        with _typed(file.parent):
            file.write_bytes(content)
        return ""

    def read() -> str:
        with _typed(file):
            if file.read_bytes() != content:
                raise RemoteError("the object that was read differs from the one written", code="not_the_same")
        return ""

    def list_() -> str:
        with _typed(file.parent):
            return _others(sum(1 for _ in file.parent.iterdir()) - 1)

    def delete() -> str:
        with _typed(file):
            file.unlink()
        return ""

    return [("write", write), ("read", read), ("list", list_), ("delete", delete)]


@contextlib.contextmanager
def _typed(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        folder = path.parent if path.name.startswith(".train-test-") else path
        hint = f"mkdir -p {shlex.quote(str(folder))}, or mount the disk that belongs there"
        raise Conflict(f"there is no folder {folder}", hint, code="no_folder") from None
    except OSError as error:
        raise Conflict(f"{path}: {error.strerror}", code="cannot_write") from None


def _host_stages(place: Resolved) -> Stages:
    folder, file = place.root, f"{place.root.rstrip('/')}/.train-test-{os.urandom(6).hex()}"

    def on_host(*command: str) -> str:
        ran = call("host", "run", {"name": place.host, "command": list(command)}, timeout=HOST_LIMIT)
        if ran["exit"]:
            said = (ran.get("stderr") or ran.get("stdout") or "").strip().splitlines()
            raise RemoteError(said[-1] if said else f"{command[0]} ended with status {ran['exit']}")
        return ""

    return [
        ("write", lambda: on_host("touch", "--", file)),
        ("read", lambda: on_host("cat", "--", file)),
        ("list", lambda: on_host("ls", "--", folder)),
        ("delete", lambda: on_host("rm", "--", file)),
    ]


def _others(count: int) -> str:
    return f"{count} other {'file' if count == 1 else 'files'} in the top folder"
