"""Detects how instances can be isolated from this machine."""

import functools
import os
import shutil
import subprocess
from typing import Literal

Isolation = Literal["root", "user", "none"]
WAYS = {
    "root": "a mount namespace around sshd; one logs in as root",
    "user": "a namespace of an ordinary user behind sshd; one logs in as that user and is root inside",
    "none": "namespaces are not allowed here: instances have no machine behind them",
}


@functools.cache
def isolation() -> Isolation:
    """How instances are isolated on this machine: as root, as an ordinary user, or not at all."""
    if not shutil.which("unshare"):
        return "none"
    if os.getuid() == 0:
        return "root" if _works(["unshare", "-m", "-p", "-u", "-f"]) else "none"
    return "user" if shutil.which("nsenter") and _works(["unshare", "-U", "-r", "-m", "-p", "-f"]) else "none"


def _works(words: list[str]) -> bool:
    script = "mount -t tmpfs sandbox /tmp && touch /tmp/x"
    done = subprocess.run(
        [*words, "--propagation", "private", "sh", "-c", script], capture_output=True, check=False
    )
    return done.returncode == 0


def namespace_argv() -> list[str]:
    """The words to put before a program's argv to start it in new namespaces.

    The namespaces end when the program ends.
    """
    own = [] if isolation() == "root" else ["-U", "-r"]
    return ["unshare", *own, "-m", "-p", "-u", "-f", "--kill-child", "--propagation", "private"]


def sshd_path() -> str | None:
    """The path of this machine's sshd, or None when it has no sshd."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin")
