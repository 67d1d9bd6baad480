"""The sandbox's folder, and the file that describes the running sandbox."""

import os
from pathlib import Path
from typing import Any

import msgspec

from trainsh_base.errors import NotFound
from trainsh_base.system.paths import state_home
from trainsh_base.tool.sandboxed import VARIABLE


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach the running sandbox. `warnings` lists what this machine lacks for it."""

    pid: int
    url: str
    key: str
    isolation: str
    user: str
    storage: str = ""
    storage_key: str = ""
    storage_secret: str = ""
    warnings: list[str] = []


def sandbox_folder() -> Path:
    """The folder in the variable `TRAINSH_SANDBOX`, which `train sandbox env` sets.

    Without it, a folder in the user's state folder.
    """
    own = os.environ.get("TRAINSH_SANDBOX")
    return Path(own).absolute() if own else state_home() / "sandbox"


def running_file(folder: Path) -> Path:
    """The file that exists while the sandbox runs."""
    return folder / "running.json"


def is_alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def find(folder: Path) -> Running | None:
    """The sandbox that runs in `folder`, or None if none runs there."""
    try:
        found = msgspec.json.decode(running_file(folder).read_bytes(), type=Running)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return found if is_alive(found.pid) else None


def need(folder: Path) -> Running:
    """The sandbox that runs in `folder`. Raises NotFound if none runs there."""
    found = find(folder)
    if found is None:
        raise NotFound("no sandbox is running", "train sandbox up")
    return found


def environment(folder: Path, running: Running) -> dict[str, str]:
    """The variables that make every tool use the sandbox instead of the real services."""
    found = {
        "TRAINSH_HOME": str(folder / "home"), "TRAINSH_SANDBOX": str(folder), VARIABLE: str(running.pid),
        "VAST_API_KEY": running.key,
        "VAST_URL": running.url, "TRAINSH_VAST_SPEED_URL": running.url,
    }  # fmt: skip
    if running.user != "root":
        found["TRAINSH_VAST_USER"] = running.user
    if running.storage:
        for prefix in ("R2", "AWS"):
            names = ("ACCESS_KEY", "SECRET_KEY") if prefix == "R2" else ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
            found |= dict(zip([f"{prefix}_{name}" for name in names], _pair(running), strict=True))
        found |= {"TRAINSH_R2_ENDPOINT": running.storage, "TRAINSH_S3_ENDPOINT": running.storage}
        found |= {"AWS_ENDPOINT_URL": running.storage}
    return found


def is_set_here(folder: Path) -> bool:
    """Whether the shell that started this process is set to the sandbox in `folder`."""
    return os.environ.get("TRAINSH_HOME") == str(folder / "home")


def variables() -> list[str]:
    """The names of all variables that `environment` may return."""
    every = Running(pid=0, url="-", key="-", isolation="user", user="-", storage="-")
    return list(environment(Path(), every))


def replaced(env: dict[str, str]) -> list[str]:
    """The variables of `env` that have another value in this process's environment.

    The user's shell will lose these values. If the shell already uses the sandbox, there are none, because the
    values are those of the sandbox.
    """
    if os.environ.get("TRAINSH_HOME") == env["TRAINSH_HOME"]:
        return []
    return [name for name, value in env.items() if os.environ.get(name, value) != value]


def _pair(running: Running) -> tuple[str, Any]:
    return running.storage_key, running.storage_secret
