"""The faults. This module defines what each fault breaks, and whether it affects the current call."""

import random
import re
import threading
from typing import Any

import msgspec

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.suggest import did_you_mean
from trainsh_base.system.units import parse_duration

OFF = "off"


class Switch(msgspec.Struct, frozen=True):
    """A fault that can be switched on.

    `kind` is the kind of its value: `calls` (a probability, `on`, or `3x` for the next 3 calls), `time` (a
    duration), or `choice` (one of some words).
    """

    name: str
    kind: str
    help: str
    choices: tuple[str, ...] = ()


SWITCHES = {
    switch.name: switch
    for switch in (
        Switch("http-429", "calls", "too many requests, as plain text"),
        Switch("http-429-json", "calls", "too many requests, as JSON with retry_after"),
        Switch("http-429-detail", "calls", "too many requests, as JSON with detail"),
        Switch("http-429-wait", "calls", "too many requests, with a Retry-After of one second"),
        Switch("quota", "calls", "the daily number of searches is used up"),
        Switch("http-500", "calls", "internal error"),
        Switch("http-502", "calls", "a gateway's HTML page"),
        Switch("no-answer", "calls", "the connection is closed without an answer"),
        Switch("truncated", "calls", "JSON that is cut in the middle"),
        Switch("charset", "calls", "a Content-Type with a charset, which the official client refuses"),
        Switch("slow", "time", "every answer takes this long"),
        Switch("bad-key-401", "calls", "a wrong key is refused with 401 instead of 404"),
        Switch("key-revoked", "calls", "the account's key is refused"),
        Switch("list-v0", "calls", "the old list of instances still answers"),
        Switch("not-listed", "time", "a new instance is missing from the list for this long"),
        Switch("offer-taken", "choice", "the offer is gone when it is rented", ("400", "404", "410")),
        Switch("no-credit", "calls", "creating is refused: the account has no credit"),
        Switch("spend-limit", "calls", "creating is refused: the spending limit of a new account"),
        Switch(
            "no-capacity",
            "calls",
            "creating an instance without a free GPU leaves it stopped, unless cancel_unavail is set",
        ),
        Switch("create-lost", "calls", "the instance is created and the answer is lost (502)"),
        Switch("create-slow", "time", "the instance is created and the answer takes this long"),
        Switch("success-false", "calls", "a change of state answers 200 with success false"),
        Switch("stop-ignored", "calls", "a stop is accepted and does nothing"),
        Switch("start-queued", "calls", "a start waits in a queue: the GPU is taken"),
        Switch("status-lag", "time", "a change of an instance's status is reported only after this time"),
        Switch("stuck-loading", "calls", "an instance never leaves loading"),
        Switch("pull-error", "calls", "the image cannot be pulled"),
        Switch("oci-error", "calls", "the container cannot be created"),
        Switch("boot-time", "time", "how long an instance takes from its creation until it runs"),
        Switch("instance-dies-after", "time", "the main process of an instance ends this long after its start"),
        Switch("outbid-after", "time", "an interruptible instance is outbid this long after its start"),
        Switch("host-lost-after", "time", "the host goes offline this long after its instance has started"),
        Switch("unknown-after", "time", "the host's heartbeat stops this long after its instance has started"),
        Switch("expires-after", "time", "the offer ends this long after it was rented"),
        Switch("falls-short", "calls", "a new instance has half the GPU memory that its offer shows"),
        Switch("ssh-refused", "calls", "nothing answers at either ssh address of a started instance"),
        Switch("direct-refused", "calls", "only the proxy's ssh address of a started instance answers"),
        Switch("no-ports", "calls", "a started instance shows no direct ports"),
        Switch("attach-delay", "time", "an attached key reaches the instance only after this time"),
        Switch("logs-late", "calls", "logs are not there yet at their address"),
    )
}


class Faults:
    """The faults that are switched on."""

    def __init__(self, seed: int = 0) -> None:
        self._values: dict[str, str] = {}
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def set(self, name: str, value: str) -> None:
        """Set a fault.

        Raises NotFound for an unknown name, and UsageError for a value that the fault does not accept.
        """
        switch = SWITCHES.get(name)
        if switch is None:
            raise NotFound(f"there is no fault {name!r}", did_you_mean(name, SWITCHES, "see: train sandbox fault"))
        if value in (OFF, "0"):
            self._values.pop(name, None)
            return
        self._values[name] = _checked(switch, value)

    def clear(self) -> None:
        """Clear all faults."""
        self._values.clear()

    def hits(self, name: str) -> bool:
        """Whether the fault makes this call fail.

        The call is counted, because a value such as `3x` is for a number of calls.
        """
        with self._lock:
            value = self._values.get(name)
            if value is None:
                return False
            if value.endswith("x"):
                left = int(value[:-1]) - 1
                if left:
                    self._values[name] = f"{left}x"
                else:
                    del self._values[name]
                return True
            return self._random.random() < float(value)

    def is_on(self, name: str) -> bool:
        """Whether a fault is switched on. This does not count a call."""
        return name in self._values

    def seconds(self, name: str) -> float | None:
        """The duration of a `time` fault, or None if the fault is off."""
        value = self._values.get(name)
        return None if value is None else float(value)

    def choice(self, name: str) -> str | None:
        """The value of a `choice` fault, or None if the fault is off."""
        return self._values.get(name)

    def listed(self) -> list[dict[str, Any]]:
        """Every fault with its value."""
        return [
            {"name": switch.name, "value": self._values.get(switch.name, OFF), "help": switch.help}
            for switch in SWITCHES.values()
        ]


def _checked(switch: Switch, value: str) -> str:
    if switch.kind == "time":
        return f"{parse_duration(value):g}"
    if switch.kind == "choice":
        if value not in switch.choices:
            raise UsageError(f"{switch.name} is one of {', '.join(switch.choices)} or off, not {value!r}")
        return value
    if value == "on":
        return "1"
    if re.fullmatch(r"[1-9]\d*x", value):
        return value
    try:
        chance = float(value)
    except ValueError:
        chance = -1
    if not 0 < chance <= 1:
        raise UsageError(
            f"{switch.name} cannot be {value!r}", "write a chance such as 0.2, calls such as 3x, on or off"
        )
    return value


def read(words: list[str]) -> list[tuple[str, str]]:
    """Words of the form `NAME=VALUE` as pairs.

    A name without a value gets the value `on`. The single word `off` clears all faults.
    """
    return [(name, value or "on") for name, _, value in (word.partition("=") for word in words)]
