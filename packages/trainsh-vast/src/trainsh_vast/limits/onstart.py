"""The commands that a new machine of a job runs at every start.

If no runner arms its watchdog, they stop the machine.
"""

import shlex
from pathlib import Path

from trainsh_vast.api.session import api_base
from trainsh_vast.limits.limits import Limits

SCRIPT = Path(__file__).with_name("onstart.sh")
MOST = 4000  # characters; the service accepts 4096


def guarded(own: str, limits: Limits, per_hour: float) -> str:
    """The commands of onstart.sh, and after them the user's `own` commands.

    If this would be too long for the service, `own` is returned unchanged.
    """
    within = int(min(one for one in (limits.idle, limits.left(per_hour)) if one))
    lines = [line for line in SCRIPT.read_text().splitlines() if not line.startswith("# shellcheck")]
    text = "\n".join([f"IDLE={within} URL={shlex.quote(api_base())}", *lines, own]).rstrip() + "\n"
    return text if len(text) <= MOST else own
