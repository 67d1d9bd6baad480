"""Adds a forward to the shared connection to a host, or removes it from there (`ssh -O`)."""

from trainsh_base.errors import TrainError, Unreachable
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.remote.ssh_errors import last_line
from trainsh_base.system.proc import run
from trainsh_host.forward.model import Forward, Port
from trainsh_host.forward.ports import in_use, need_free

LIMIT = 20.0  # seconds within which the connection's process must answer


def add(forward: Forward, port: Port) -> None:
    """Have the connection of `forward` listen on a port.

    Raises Conflict if the port is in use, and Unreachable if this fails for another reason.
    """
    done = run(_argv(forward, "forward", port), check=False, timeout=LIMIT)
    if done.status == 0:
        return
    if master_pid(forward.control_path) is None:
        raise Unreachable(f"the connection to {forward.host} was lost", code="lost")
    need_free(port, forward.host)
    said = last_line(done.stderr.decode(errors="replace"))
    if "Port forwarding failed" in said or "forward request failed" in said:
        raise in_use(port, forward.host)
    raise TrainError(f"ssh does not forward port {port.local}: {said}", code="not_forwarded")


def take_away(forward: Forward) -> None:
    """Make the connection stop listening on the forward's ports. If the connection is gone, do nothing."""
    if not forward.control_path or master_pid(forward.control_path) is None:
        return
    for port in forward.ports:
        run(_argv(forward, "cancel", port), check=False, timeout=LIMIT)


def _argv(forward: Forward, what: str, port: Port) -> list[str]:
    ssh, *rest = forward.argv
    return [ssh, "-S", forward.control_path, "-O", what, "-L", port.spec, *rest]
