"""Starts and stops a sandbox, and sends requests to the running one."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

from trainsh_base.errors import (
    Conflict,
    MissingProgram,
    TimedOut,
    TrainError,
    Unreachable,
    UsageError,
    from_document,
)
from trainsh_base.system.files import locked
from trainsh_base.system.paths import private_folder
from trainsh_sandbox.places import Running, find, is_alive, need

START, END = 60.0, 30.0


def up(folder: Path, options: dict[str, Any]) -> Running:
    """Start a sandbox, unless one is already running."""
    if any(letter in str(folder) for letter in " \t\n\\"):
        raise UsageError(f"the sandbox cannot live in {folder}", "set TRAINSH_SANDBOX to a path without spaces")
    private_folder(folder.parent)
    with locked(folder):
        found = find(folder)
        if found:
            return found
        _check_programs(options)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o711)
        log = folder / "log"
        words = [sys.executable, "-m", "trainsh_sandbox.daemon", str(folder), json.dumps(options)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        return _await(folder, process, log)


def _check_programs(options: dict[str, Any]) -> None:
    from trainsh_sandbox.daemon import missing  # noqa: PLC0415 - only `up` needs it

    absent = missing() if options.get("machines", True) else []
    if absent:
        raise MissingProgram(
            f"the sandbox's machines need {', '.join(absent)}", "install it, or: train sandbox up --no-machines",
            data={"programs": absent},
        )  # fmt: skip


def _await(folder: Path, process: "subprocess.Popen[bytes]", log: Path) -> Running:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        found = find(folder)
        if found:
            return found
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip().splitlines()
            shutil.rmtree(folder, ignore_errors=True)
            raise TrainError(
                "the sandbox did not start", said[-1] if said else f"is the disk full? see: df -h {folder.parent}"
            )
        time.sleep(0.02)
    process.kill()
    raise TimedOut("the sandbox did not start in a minute", f"see {log}")


def down(folder: Path) -> bool:
    """Stop the sandbox and remove all its files. Return whether there was a sandbox."""
    if not folder.exists():
        return False
    with locked(folder):
        found = find(folder)
        if found:
            os.kill(found.pid, signal.SIGTERM)
            _await_end(found.pid)
        _end_masters(folder)
        shutil.rmtree(folder, ignore_errors=True)
    folder.with_name(f".{folder.name}.lock").unlink(missing_ok=True)
    if folder.exists():
        raise Conflict(f"{folder} could not be removed", "remove it by hand")
    return True


def _await_end(pid: int) -> None:
    deadline = time.monotonic() + END
    while is_alive(pid):
        if time.monotonic() > deadline:
            raise TimedOut(f"process {pid} of the sandbox could not be ended", f"kill -9 {pid}")
        time.sleep(0.02)


def _end_masters(folder: Path) -> None:
    """End the ssh masters to the sandbox's machines.

    Their argv contains the sandbox's folder, by which they are found.
    """
    mark = str(folder / "home").encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes()
                if words.startswith(b"ssh") and mark in words and entry.stat().st_uid == os.getuid():
                    os.kill(int(entry.name), signal.SIGTERM)
            except OSError:
                continue


def ask(folder: Path, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Send a request to the running sandbox, and return the JSON of the response.

    Raises NotFound if no sandbox runs. If the response has an error, raises this error.
    """
    running = need(folder)
    request = urllib.request.Request(
        running.url + path, method=method, data=None if body is None else msgspec.json.encode(body),
        headers={"Authorization": f"Bearer {running.key}"},
    )  # fmt: skip
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return msgspec.json.decode(answer.read())
    except urllib.error.HTTPError as error:
        said = msgspec.json.decode(error.read())
        raise from_document(
            {"code": said.get("error"), "message": said.get("msg"), "hint": said.get("hint", ""), "exit": 2}
        ) from None
    except OSError as error:
        raise Unreachable(
            f"the sandbox does not answer: {error}", "run train sandbox down, then train sandbox up"
        ) from None
