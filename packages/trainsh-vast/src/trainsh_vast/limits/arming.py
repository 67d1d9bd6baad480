"""Puts the watchdog on a machine over ssh, and starts it with its limits ("arms" it)."""

import shlex
from pathlib import Path

from trainsh_base.errors import RemoteError
from trainsh_base.remote.target import Target
from trainsh_base.request import current
from trainsh_vast.api.session import api_base
from trainsh_vast.limits.limits import Limits
from trainsh_vast.rented import login

SCRIPT = Path(__file__).with_name("watchdog.sh")
INSTALL = Path(__file__).with_name("install.sh")


def arm(number: int, target: Target, limits: Limits, per_hour: float) -> str:
    """Arm the watchdog of an instance. Return in words what the watchdog will do.

    Raises RemoteError if a limit that the user has set cannot be armed. If only the default limit cannot be armed,
    this is only logged.
    """
    words = ["arm", str(int(limits.idle)), str(limits.left(per_hour)), api_base()]
    command = shlex.join(["sh", "-c", INSTALL.read_text(), "trainsh-vast", *words])
    problem = login.run(target, command, SCRIPT.read_bytes())
    if not problem:
        return limits.text(per_hour)
    said = f"no watchdog on instance {number}, so it cannot stop by itself: {problem}"
    if limits.asked:
        raise RemoteError(
            said, "to run without a watchdog: idle_stop=off, and neither max_time nor max_cost", code="not_armed"
        )
    current().emit("log", message=f"{said}; only this job will stop it")
    return ""
