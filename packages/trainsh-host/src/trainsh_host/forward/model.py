"""A forward: which ports of this machine lead to which ports of a host, and the state of the forward."""

from typing import Any, Literal

import msgspec

State = Literal["opening", "open", "lost", "failed", "ended"]


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """A port of this machine, `bind`:`local`, that leads to `host`:`remote`.

    `host` is a name as the remote host knows it.
    """

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

    `state` is `lost` if the connection was lost and train reconnects, and `failed` if it could not connect and the
    process has ended. In these two states, `problem` is the error. `since` is in seconds since 1970.
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
