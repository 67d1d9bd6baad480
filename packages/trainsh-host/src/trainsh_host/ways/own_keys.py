"""Gives single machines a known_hosts file of their own.

The first host key of a rented machine is accepted, and later host keys must be the same.
"""

import re

from trainsh_base.system.paths import private_folder, state_home

ACCEPT_FIRST = "StrictHostKeyChecking=accept-new"


def key_file(machine: str) -> str:
    """The known_hosts file for the machine with this id."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", machine)[:120].lstrip(".") or "_"
    return str(private_folder(state_home() / "known_hosts") / name)


def key_options(file: str) -> list[str]:
    """The options that make ssh use only `file` for host keys."""
    return ["-o", f"UserKnownHostsFile={in_quotes(file)}", "-o", "GlobalKnownHostsFile=none"]


def in_quotes(path: str) -> str:
    """Quote a file name for an option of ssh that may have several names, separated by spaces."""
    return f'"{path}"' if " " in path else path
