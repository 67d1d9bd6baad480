"""Chooses an address at which an instance answers now."""

import socket

from trainsh_base.errors import Conflict, Unreachable
from trainsh_base.provider.listed import no_instance
from trainsh_base.remote.target import Target
from trainsh_vast.api.service import Service
from trainsh_vast.rented import endpoint, states

PROBE = 4.0


def resolve(service: Service, number: int) -> Target:
    """The target of an instance. It has the direct address if that answers, else the address of the proxy.

    Raises Conflict if the instance does not run. Raises NotFound with `gone` if not even the list shows the
    instance.
    """
    row = service.instance(number)
    if row is None:
        gone = all(int(one["id"]) != number for one in service.instances())
        raise no_instance("vast", str(number), gone=gone)
    found = states.condition(row)
    if found.state in ("stopped", "stopping", "gone"):
        raise Conflict(
            f"instance {number} is {found.state}", f"start it: train vast start {number}", code="not_running",
            data={"id": number, "state": found.state},
        )  # fmt: skip
    points = endpoint.points(row)
    if not points:
        raise Unreachable(f"instance {number} has no ssh address yet", f"wait for it: train vast wait {number}")
    best = next((point for point in points if point.way != "direct" or _answers(point)), points[-1])
    return endpoint.target(number, best)


def _answers(point: endpoint.Point) -> bool:
    try:
        with socket.create_connection((point.host, point.port), PROBE):
            return True
    except OSError:
        return False
