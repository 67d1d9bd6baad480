"""Measures a machine over ssh."""

from pathlib import Path

from trainsh_base.remote.target import Target
from trainsh_base.request import current
from trainsh_base.system.configuration.config import config_value
from trainsh_vast.api.service import Row
from trainsh_vast.rented import login
from trainsh_vast.vetting import bad_machines
from trainsh_vast.vetting.measures import Vetted, judged, parsed

SCRIPT = Path(__file__).with_name("vet.sh")


def vet(row: Row, target: Target, seconds: float) -> Vetted:
    """Measure an instance for at most `seconds`.

    If the instance is worse than its offer or cannot be measured, its machine is remembered as bad.
    """
    number = row["id"]
    current().emit("log", message=f"instance {number}: measuring it")
    speed_url = config_value("vast.speed_url")
    command = f"sh -s -- {max(5, int(seconds))} {speed_url}"
    text, problem = login.output(target, command, SCRIPT.read_bytes(), seconds + 20)
    found = (
        Vetted(measured={}, short=[f"it could not be measured: {problem}"])
        if problem
        else judged(row, parsed(text))
    )
    current().emit("log", message=f"instance {number}: {found.text or found.short[0]}")
    if found.short:
        bad_machines.remember(row.get("machine_id"), "; ".join(found.short))
    return found
