"""How one machine is reached: the answer of `train-host resolve NAME --json`, and the argv made from it."""

import os
from typing import Literal

import msgspec


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine. `argv` starts ssh: every option, the destination last, no command (empty for this machine).

    `control_path` is the socket of the shared connection, `known_hosts` the machine's own file of host keys
    (rented ones), `secret` the name of a stored password, `label` what people call it. `rented`: a container of
    somebody else's, here for a while; `bootstrap`: tmux and rsync may be installed there when they are missing.
    """

    name: str
    kind: Literal["local", "ssh"]
    argv: list[str] = []
    env: dict[str, str] = {}
    control_path: str | None = None
    known_hosts: str | None = None
    secret: str | None = None
    label: str = ""
    rented: bool = False
    bootstrap: bool = False
    machine: str = ""

    @staticmethod
    def local(name: str = "local") -> "Target":
        """This machine."""
        return Target(name=name, kind="local", label="this machine")

    @property
    def destination(self) -> str:
        """`user@host`, as ssh is told it; empty for this machine."""
        return self.argv[-1] if self.argv else ""

    def remote_argv(
        self, command: str | None, *, terminal: bool = False, master: bool = True, control_path: str | None = None
    ) -> list[str]:
        """The argv that runs `command` on the host, read by the login shell (None: an interactive shell).

        With `master` the shared connection carries it (`control_path`: another one than the target's first), and
        without a terminal nothing else does: such a client never logs in by itself. `master=False`: a connection
        of its own.
        """
        if self.kind == "local":
            return ["sh", "-c", command] if command is not None else [os.environ.get("SHELL") or "sh"]
        path = control_path or self.control_path if master else None
        argv = [self.argv[0]]
        if path:
            argv += ["-S", path, "-o", "ControlMaster=no"]
        if path and not terminal:
            argv += ["-o", "ProxyCommand=false"]
        if command is not None:
            argv += ["-o", "RemoteCommand=none"]
        argv += ["-tt"] if terminal else ["-T", "-x", "-o", "ClearAllForwardings=yes"]
        argv += self.argv[1:]
        return [*argv, command] if command is not None else argv

    def environment(self) -> dict[str, str]:
        """The environment of a program that reaches this machine."""
        return {**os.environ, **self.env}


def control_path(argv: list[str], env: dict[str, str] | None = None) -> str:
    """The socket of the shared connection that `argv` opens: short, since a Unix socket's path may have 104 bytes,
    of which ssh itself adds 17 while it makes one."""
    from trainsh_base.system.paths import runtime_home  # noqa: PLC0415 - brings pathlib, and this machine needs no socket

    text = "\0".join([*argv, *(f"{key}={value}" for key, value in sorted((env or {}).items()))])
    return str(runtime_home() / f"m-{_fingerprint(text.encode()):016x}")


def _fingerprint(data: bytes) -> int:
    """FNV-1a, 64 bits: importing hashlib would add 5 ms to every start, and no other program writes these names."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def ssh_target(
    name: str,
    argv: list[str],
    *,
    label: str = "",
    env: dict[str, str] | None = None,
    known_hosts: str | None = None,
    secret: str | None = None,
    rented: bool = False,
    bootstrap: bool = False,
    machine: str = "",
) -> Target:
    """A machine behind ssh, with the socket its connection has."""
    return Target(
        name=name, kind="ssh", argv=argv, env=env or {}, control_path=control_path(argv, env),
        known_hosts=known_hosts, secret=secret, label=label or argv[-1],
        rented=rented, bootstrap=bootstrap, machine=machine,
    )  # fmt: skip
