"""The documents of train-sandbox."""

from typing import Any

import msgspec


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A sandbox. `isolation`: `root`, `user` or `none`; money in $, `time` in seconds since 1970."""

    up: bool
    url: str = ""
    folder: str = ""
    isolation: str = ""
    user: str = ""
    storage: str = ""
    offers: int = 0
    credit: float = 0.0
    spent: float = 0.0
    time: float = 0.0
    instances: list[dict[str, Any]] = []
    faults: dict[str, str] = {}
    warnings: list[str] = []


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """The variables that make tools use the sandbox; `notes` says what is different from the real thing."""

    env: dict[str, str]
    notes: list[str] = []


class Down(msgspec.Struct, frozen=True):
    """A sandbox that is down; `was_up`: until now."""

    was_up: bool


class Ended(msgspec.Struct, frozen=True):
    """How a run in the sandbox ended."""

    exit: int


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """An offer of the market. `memory` in MB for each GPU, `price` in $ per hour with 10 GB of disk."""

    id: int
    gpu: str
    count: int
    memory: int
    price: float
    place: str
    reliability: float


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A switch."""

    name: str
    value: str
    help: str
