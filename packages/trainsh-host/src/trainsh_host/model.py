"""The documents that train-host reads and writes."""

from typing import Any, Literal

import msgspec

from trainsh_host.old_types import INSTANCE_KEY, PROVIDERS, OldType

Kind = Literal["ssh", "local", "provider", OldType]


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[hosts]]` table. Its keys are those of tmux-trainsh 0.9, and the newer ones from `ssh_options` on.

    `ref` is the machine of a provider, `NAME:REF`.
    """

    name: str
    type: Kind = "ssh"
    id: str = ""
    hostname: str = ""
    port: int = 22
    username: str = ""
    auth_method: Literal["", "key", "agent", "password"] = ""
    ssh_key_path: str = ""
    jump_host: str = ""
    env_vars: dict[str, Any] = {}
    is_favorite: bool = False
    tags: list[str] = []
    notes: str = ""
    instance_id: str | int | None = msgspec.field(default=None, name=INSTANCE_KEY)
    ssh_options: list[str] = []
    password_secret: str = ""
    known_hosts: str = ""
    bootstrap: bool | None = None
    ref: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ValueError(f"not a port: {self.port}")

    @property
    def provided(self) -> tuple[str, str] | None:
        """The provider, and the provider's name for the machine. None for a host that has an address of its own."""
        if self.type in PROVIDERS and self.instance_id:
            return PROVIDERS[self.type], str(self.instance_id)
        provider, _, reference = self.ref.partition(":")
        return (provider, reference) if provider and reference else None

    @property
    def address(self) -> str:
        """The address of the host: `user@host:port` without the parts that are not set, or `NAME:REF`.

        For this machine it is empty.
        """
        if self.provided:
            return ":".join(self.provided)
        user = f"{self.username}@" if self.username else ""
        port = f":{self.port}" if self.port != 22 else ""
        name = f"[{self.hostname}]" if port and ":" in self.hostname else self.hostname  # an IPv6 address
        return f"{user}{name}{port}" if name else ""


class Listed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of `list`: a host of hosts.toml, or a provider's machine (`NAME:REF`, with its state and price).

    `price_per_hour` is what the machine costs now; for a stopped machine, this is the price of its disk.
    `reachable` and `seconds` are set with --check. `problem` is set with --check, and for a table that cannot be
    read.
    """

    name: str
    type: str
    address: str = ""
    jump: str = ""
    tags: list[str] = []
    favorite: bool = False
    notes: str = ""
    reachable: bool | None = None
    seconds: float | None = None
    problem: str = ""
    code: str = ""
    state: str = ""
    gpu: str = ""
    price_per_hour: float = 0.0
    currency: str = ""
    end: str = ""


class Shown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A host with all its settings, as `add` reads them, and the ssh command that reaches it.

    `more` has the keys of its table for which `add` has no option. `file` is the path of hosts.toml, or "" for a
    name of ~/.ssh/config or a spec. `problem` tells why the host cannot be reached with these settings.
    """

    name: str
    type: str
    host: str = ""
    user: str = ""
    port: int | None = None
    key: str = ""
    auth: str = ""
    jump: str = ""
    options: list[str] = []
    password_secret: str = ""
    ref: str = ""
    tunnel: str = ""
    tags: list[str] = []
    notes: str = ""
    favorite: bool = False
    bootstrap: bool | None = None
    more: dict[str, Any] = {}
    ssh: list[str] = []
    file: str = ""
    problem: str = ""


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A host that was added or removed."""

    name: str


class Stage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One stage of `test`. If the stage failed, `exit` is its exit status. `fix` is a command or an instruction."""

    name: str
    state: Literal["ok", "failed", "absent", "skipped"]
    detail: str = ""
    seconds: float | None = None
    fix: str = ""
    exit: int = 0


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a command: its exit status, and its output if that was not passed through."""

    exit: int
    stdout: str = ""
    stderr: str = ""
