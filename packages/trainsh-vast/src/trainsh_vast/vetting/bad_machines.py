"""Keeps the machines that were worse than their offers in a file. Later picks read this file.

To make train forget a machine, delete its line in the file.
"""

import contextlib
import time
from pathlib import Path
from typing import Any

from trainsh_base.system.files import locked, write_atomic
from trainsh_base.system.paths import private_folder, state_home


def place() -> Path:
    """The path of the file. It has a line `MACHINE DAY WHY` for each machine."""
    return private_folder(state_home() / "vast") / "bad-machines"


def known() -> dict[int, str]:
    """The bad machines: id -> the reason why this machine is avoided."""
    found: dict[int, str] = {}
    with contextlib.suppress(FileNotFoundError):
        for line in place().read_text().splitlines():
            number, _, rest = line.partition(" ")
            if number.isdecimal():
                found[int(number)] = rest.partition(" ")[2]
    return found


def remember(machine: Any, why: str) -> None:
    """Add a machine. A machine without an id cannot be remembered."""
    if machine is None or int(machine) in known():
        return
    with locked(place()):
        old = place().read_text() if place().exists() else ""
        write_atomic(place(), f"{old}{int(machine)} {time.strftime('%Y-%m-%d')} {' '.join(why.split())}\n")


def good(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The offers or instances whose machine is not a bad one."""
    bad = known()
    return [row for row in rows if row.get("machine_id") not in bad]
