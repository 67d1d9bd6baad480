"""Describes how one machine is reached: the answer of `train-host resolve NAME --json`, and the argv made
from it.
"""

import os
from typing import Literal

import msgspec

from trainsh_base.system.paths import fingerprint, runtime_folder


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine. `argv` starts ssh: it has all options, then the destination, and no command.

    For this machine, `argv` is empty. `control_path` is the socket of the shared connection. `known_hosts` is a
    separate host key file (for rented machines). `secret` is the name of a stored password, and `label` the name
    shown to people. `rented`: the machine is rented for a limited time. `bootstrap`: tmux and rsync may be
    installed on the machine if they are missing.
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
        """Return the target for this machine."""
        return Target(name=name, kind="local", label="this machine")

    @property
    def destination(self) -> str:
        """The destination argument of ssh, such as `user@host`; empty for this machine."""
        return self.argv[-1] if self.argv else ""

    def remote_argv(
        self, command: str | None, *, terminal: bool = False, master: bool = True, control_path: str | None = None
    ) -> list[str]:
        """Return the argv that runs `command` on the host, in the login shell of the account.

        If `command` is None, the argv opens an interactive shell. With `master`, ssh uses the shared connection
        whose socket is `control_path`; without `control_path`, it uses the first shared connection of this target.
        Without `terminal`, ssh uses only that connection and never logs in by itself. With `master=False`, ssh
        opens a separate connection.
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
        """Return the environment for a program that connects to this machine."""
        return {**os.environ, **self.env}


def control_path(argv: list[str], env: dict[str, str] | None = None) -> str:
    """Return the socket path of the shared connection that `argv` opens.

    The path must be short: the path of a Unix socket may have only 104 bytes, and ssh appends 17 bytes to it while
    it creates the socket.
    """
    text = "\0".join([*argv, *(f"{key}={value}" for key, value in sorted((env or {}).items()))])
    return f"{runtime_folder()}/m-{fingerprint(text.encode()):016x}"


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
    """Return the target for a machine reached over ssh, with the socket path of its shared connection."""
    return Target(
        name=name, kind="ssh", argv=argv, env=env or {}, control_path=control_path(argv, env),
        known_hosts=known_hosts, secret=secret, label=label or argv[-1],
        rented=rented, bootstrap=bootstrap, machine=machine,
    )  # fmt: skip
