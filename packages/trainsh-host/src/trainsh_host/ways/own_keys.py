"""Files of host keys for one machine each: a rented one's first key is accepted there, and then held to."""

import re

from trainsh_base.system.paths import private_folder, state_home

ACCEPT_FIRST = "StrictHostKeyChecking=accept-new"


def key_file(machine: str) -> str:
    """The file of host keys of the machine with this id."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", machine)[:120].lstrip(".") or "_"
    return str(private_folder(state_home() / "known_hosts") / name)


def key_options(file: str) -> list[str]:
    """ssh's options that use `file` for host keys, and no other."""
    return ["-o", f"UserKnownHostsFile={in_quotes(file)}", "-o", "GlobalKnownHostsFile=none"]


def in_quotes(path: str) -> str:
    """A file name in an option that may hold several, parted by blanks."""
    return f'"{path}"' if " " in path else path
