"""The documents of train-sandbox."""

from typing import Any

import msgspec


class State(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a sandbox. `isolation` is `root`, `user` or `none`.

    Money is in $, `time` in seconds since 1970.
    """

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
    """The environment variables that make tools use the sandbox. `notes` lists differences from the real cloud.

    If the variables are to be removed, `unset` lists their names, and `env` is empty. The variables are printed in
    the language of the shell `shell`.
    """

    env: dict[str, str]
    notes: list[str] = []
    unset: list[str] = []
    shell: str = "bash"


class Down(msgspec.Struct, frozen=True):
    """A sandbox that was stopped. `was_up` is false if no sandbox was running."""

    was_up: bool


class Ended(msgspec.Struct, frozen=True):
    """How a run in the sandbox ended."""

    exit: int


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """An offer of the market. `memory` is in MB per GPU, `price` in $ per hour with a disk of 10 GB."""

    id: int
    gpu: str
    count: int
    memory: int
    price: float
    place: str
    reliability: float


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that can be switched on, and its value."""

    name: str
    value: str
    help: str
