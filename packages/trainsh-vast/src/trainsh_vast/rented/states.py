"""Combines the four states that the service reports into one state, and tells which failures are final."""

from typing import Any

import msgspec

from trainsh_base.provider.instance import State

Row = dict[str, Any]
HOST_PATIENCE = 60.0  # seconds to wait until a host comes back
EXIT_PATIENCE = 45.0  # seconds within which the status must show a start
BOOTING = (None, "", "created", "loading", "rebooting", "recycling", "restarting", "scheduling")
NEVER = (
    "manifest unknown",
    "manifest for",
    "pull access denied",
    "repository does not exist",
    "no space left on device",
    "OCI runtime create failed",
    "CDI device injection failed",
    "failed to create task",
    "invalid reference format",
    "unauthorized: authentication required",
)


class Condition(msgspec.Struct, frozen=True):
    """A state and its reason.

    If a starting instance has an error, `patience` is how many seconds to wait for its recovery.
    """

    state: State
    problem: str = ""
    patience: float = 0.0


def condition(row: Row) -> Condition:
    """The state of an instance in the terms of docs/providers.md."""
    actual, intended = row.get("actual_status"), row.get("intended_status")
    current, message = row.get("cur_state"), str(row.get("status_msg") or "").strip()
    if current == "unloaded":
        return Condition("gone")
    if actual == "offline":
        return Condition("failed", "the host is offline", HOST_PATIENCE)
    if actual == "unknown":
        return Condition("failed", "Vast.ai has not heard from the host for a while", HOST_PATIENCE)
    if intended == "stopped":
        return Condition("stopping" if actual in ("running", "loading") else "stopped", message if actual else "")
    if any(word.lower() in message.lower() for word in NEVER):
        return Condition("failed", message)
    if actual == "running":
        return Condition("running")
    if actual in BOOTING:
        return Condition("starting", "" if message.startswith("success") else message)
    if current == "stopped":
        return Condition("starting", "the start waits until the GPU is free")
    # The status is `exited` although the instance should run. Either the container has ended. Or it is about to
    # start, and the status is out of date.
    return Condition("failed", "the container has ended by itself, and still costs money", EXIT_PATIENCE)


def is_over(row: Row | None) -> bool:
    """Whether only the disk of an instance is billed, according to the service's list."""
    if row is None:
        return True
    return (
        row.get("intended_status") == "stopped"
        and row.get("cur_state") != "running"
        and row.get("actual_status") not in ("running", "loading")
    )
