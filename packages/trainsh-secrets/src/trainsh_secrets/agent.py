"""Keeps the key of the encrypted file for a while, so that a person types the passphrase only once in a session.

The agent is a separate process (`agent_server`), like ssh-agent. Only its memory has the opened key. The agent
forgets the key when nobody has used it for `secrets.agent_time`. The agent listens on a socket in the private
runtime folder. If TRAINSH_PASSPHRASE is set, nobody is asked for the passphrase, and the agent is not used.
"""

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.system.configuration.config import config_value
from trainsh_base.system.paths import runtime_home
from trainsh_secrets import secret_command

LIMIT = 2.0  # seconds within which the agent must answer
STARTS_WITHIN = 20.0  # seconds within which a new agent must listen; Python starts slowly on a busy machine
LONGEST = 1 << 16  # the most bytes of a message
PAUSE = 0.02


def kept(sealed: bytes) -> str | None:
    """Return the opened key of a key file. `sealed` is the content of that file.

    Returns None if the agent does not have this key, or if no agent runs.
    """
    if seconds() is None:
        return None
    answer = _ask({"get": _digest(sealed)})
    key = answer.get("key")
    return key if isinstance(key, str) else None


def keep(sealed: bytes, key: str) -> None:
    """Give the opened key to the agent. If no agent runs, start one. If the agent is turned off, do nothing."""
    limit = seconds()
    if limit is None:
        return
    message = {"put": _digest(sealed), "key": key, "seconds": limit}
    if not _ask(message) and _start():
        _ask(message)


def forget() -> int:
    """End the agent. Return how many keys it had."""
    held = _ask({"lock": True}).get("held")
    return held if isinstance(held, int) else 0


def seconds() -> float | None:
    """Return for how many seconds after its last use a key is kept. Return None if the agent is turned off."""
    limit = config_value("secrets.agent_time")
    return None if limit in (None, "off") else float(limit)


def place() -> Path:
    """Return the path of the agent's socket. Raises Conflict when there is no private folder for the socket."""
    return runtime_home() / "secrets-agent"


def _digest(sealed: bytes) -> str:
    import hashlib  # noqa: PLC0415 - takes 3 ms, and is not for --help

    return hashlib.sha256(sealed).hexdigest()


def _ask(message: dict[str, Any]) -> dict[str, Any]:
    """Send a message to the agent and return its answer.

    Return {} if no agent runs, or if it does not answer in time.
    """
    import socket  # noqa: PLC0415 - as above

    with contextlib.suppress(OSError, TrainError, msgspec.DecodeError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(LIMIT)
        connection.connect(str(place()))
        connection.sendall(msgspec.json.encode(message) + b"\n")
        with connection.makefile("rb") as lines:
            answer = msgspec.json.decode(lines.readline(LONGEST))
        return answer if isinstance(answer, dict) else {}
    return {}


def _start() -> bool:
    """Start the agent in a session of its own, and wait until it listens. Return whether it does."""
    try:
        path = place()
    except TrainError:
        return False
    import subprocess  # noqa: PLC0415 - as above

    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "trainsh_secrets.agent_server", str(path)],
            env=secret_command.environment(), cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    except OSError:
        return False
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and child.poll() in (None, 0):
        if os.path.exists(path) and _ask({"get": ""}):  # noqa: PTH110 - a socket that answers
            return True
        time.sleep(PAUSE)
    return False
