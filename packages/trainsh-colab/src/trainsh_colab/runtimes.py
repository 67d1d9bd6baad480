"""Lists every runtime, with its state."""

import contextlib

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.request import current, side_by_side
from trainsh_base.tool.peer import call
from trainsh_colab.connections import hosts, old_file, tunnel
from trainsh_colab.google import program as google
from trainsh_colab.holds import Hold, holds
from trainsh_colab.model import Connection, Runtime

PATIENCE = 6.0  # seconds within which a runtime must answer for the list


def every() -> list[Runtime]:
    """Return every runtime. All runtimes are checked in parallel."""
    old_file.move()
    held = holds()
    rows = side_by_side(hosts.every(), lambda one: connection_row(one, held))
    return rows + [_session_row(session, held, _prices()) for session in _sessions()]


def _sessions() -> list[google.Session]:
    if not google.was_used():
        return []
    try:
        return google.sessions()
    except TrainError as error:
        current().emit("log", message=f"Google's program could not be asked: {error.message}")
        return []


def connection_row(connection: Connection, held: dict[str, Hold]) -> Runtime:
    """Return the row of a runtime behind a tunnel. If its sshd answers, its state is `running`, else `gone`.

    If the state is `gone`, the row has the reason.
    """
    job, label = _holder(held.get(connection.name))
    way, state, problem = "cloudflared", "gone", ""
    try:
        target = hosts.target(connection.name)
        way = "cloudflared" if any("cloudflared" in word for word in target.argv) else "ngrok"
        tunnel.need_program(target)
        answer = tunnel.ask(target, PATIENCE)
        state = "running" if answer.alive else "gone"
        problem = "" if answer.alive else f"no network: {answer.why}" if answer.offline else answer.why
    except TrainError as error:
        problem = error.message
    return msgspec.convert(
        {
            "id": connection.name, "state": state, "label": label, "job": job, "through": way,
            "address": connection.address, "problem": problem, "end": f"train colab stop {connection.name}",
        },
        Runtime,
    )  # fmt: skip


def session_row(session: google.Session) -> Runtime:
    """Return the row of one session of Google's program."""
    return _session_row(session, holds(), _prices())


def _session_row(session: google.Session, held: dict[str, Hold], prices: dict[str, float]) -> Runtime:
    job, label = _holder(held.get(session.name))
    gpu = "" if session.hardware == "CPU" else session.hardware
    return Runtime(
        id=session.name, state="running", label=label, job=job, gpu=gpu, gpu_count=int(bool(gpu)), through="google",
        address=session.endpoint, price_per_hour=prices.get(gpu, 0.0), end=f"train colab stop {session.name}",
    )  # fmt: skip


def _prices() -> dict[str, float]:
    """Return the price of an hour of each GPU in dollars, as train-pricing computes it from the subscription.

    The result is empty if train-pricing is not installed.
    """
    with contextlib.suppress(TrainError, KeyError, ValueError):
        rows = call("pricing", "colab", timeout=10)["gpus"]
        return {str(row["gpu"]): float(row["price_per_hour"]) for row in rows if row["currency"] == "USD"}
    return {}


def _holder(hold: Hold | None) -> tuple[str, str]:
    return (hold.job, f"{hold.job}/{hold.host}") if hold else ("", "")
