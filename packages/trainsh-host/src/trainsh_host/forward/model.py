"""A forward: which ports of this machine lead to ports of a host, and the state of the forward."""

from typing import Any, Literal

import msgspec

State = Literal["opening", "open", "lost", "failed", "ended"]


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """A port of this machine (`bind`:`local`) that leads to `host`:`remote`, as the host sees it."""

    bind: str = "127.0.0.1"
    local: int
    host: str = "localhost"
    remote: int

    @property
    def spec(self) -> str:
        """The argument of `ssh -L`."""
        bind, host = (f"[{name}]" if ":" in name else name for name in (self.bind, self.host))
        return f"{bind}:{self.local}:{host}:{self.remote}"


class Forward(msgspec.Struct, frozen=True, kw_only=True):
    """The ports of one host that one process forwards.

    `lost`: the connection was lost, and train reconnects; `failed`: connecting failed, and the process has ended.
    `problem` is the error in these two states. `since` is in seconds since 1970.
    """

    id: str
    host: str
    ports: list[Port]
    state: State = "opening"
    pid: int = 0
    detached: bool = False
    since: float = 0.0
    control_path: str = ""
    argv: list[str] = []
    problem: dict[str, Any] | None = None
