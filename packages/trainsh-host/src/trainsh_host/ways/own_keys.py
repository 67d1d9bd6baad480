"""known_hosts files for single machines. A rented machine's first host key is accepted and later ones must match
it."""

import re

from trainsh_base.system.paths import private_folder, state_home

ACCEPT_FIRST = "StrictHostKeyChecking=accept-new"


def key_file(machine: str) -> str:
    """The known_hosts file for the machine with this id."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", machine)[:120].lstrip(".") or "_"
    return str(private_folder(state_home() / "known_hosts") / name)


def key_options(file: str) -> list[str]:
    """ssh's options to use only `file` for host keys."""
    return ["-o", f"UserKnownHostsFile={in_quotes(file)}", "-o", "GlobalKnownHostsFile=none"]


def in_quotes(path: str) -> str:
    """Quote a file name for an option that may hold several names separated by spaces."""
    return f'"{path}"' if " " in path else path
