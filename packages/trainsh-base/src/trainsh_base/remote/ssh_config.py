"""Reads the ssh settings that apply to a machine, as `ssh -G` prints them."""

import contextlib
import os
import select
import time

from trainsh_base.errors import MissingProgram, TimedOut
from trainsh_base.remote.target import Target
from trainsh_base.system import spawn

# Seconds for `ssh -G`. The user's settings may run programs (`Match exec`). A program that hangs must not block us.
READ_LIMIT = 15.0

Settings = dict[str, list[str]]


def effective(argv: list[str], env: dict[str, str] | None = None) -> Settings:
    """Return every setting that applies to the ssh command line `argv`, as key -> values, in ssh's order.

    `argv` contains no command for the host. The result is empty if ssh rejects `argv`; the login will then print
    the reason. Raises MissingProgram if there is no ssh, and TimedOut if ssh takes too long.
    """
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - the login prints its errors again
        try:
            child = spawn.start([argv[0], "-G", *argv[1:]], env=env, stderr=nowhere.fileno())
        except FileNotFoundError:
            raise no_ssh() from None
    child.close_stdin()
    settings: Settings = {}
    for line in _all_of(child).decode(errors="replace").splitlines():
        key, _, value = line.partition(" ")
        settings.setdefault(key, []).append(value)
    return settings


def _all_of(child: spawn.Child) -> bytes:
    output = select.poll()
    output.register(child.stdout, select.POLLIN)
    deadline = time.monotonic() + READ_LIMIT
    parts = []
    try:
        while True:
            if not output.poll(max(0.0, deadline - time.monotonic()) * 1000):
                child.end()
                raise TimedOut(
                    f"ssh did not read its settings within {READ_LIMIT:g} seconds",
                    "look for Match exec in ~/.ssh/config", code="bad_ssh",
                )  # fmt: skip
            part = os.read(child.stdout, 65536)
            if not part:
                break
            parts.append(part)
    finally:
        with contextlib.suppress(OSError):
            os.close(child.stdout)
    child.wait()
    return b"".join(parts)


def no_ssh() -> MissingProgram:
    """Return the error for a machine without ssh."""
    from trainsh_base.system.proc import missing  # noqa: PLC0415 - subprocess costs 10 ms, and this is rarely reached

    return missing("ssh")


def first(settings: Settings, key: str, default: str = "") -> str:
    """Return the first value of `key`, which is the one that ssh uses."""
    return settings.get(key, [default])[0]


def chosen(target: Target, env: dict[str, str] | None = None) -> Settings:
    """Return the settings for this machine. The key `default ciphers` has ssh's own list of ciphers."""
    return effective(target.argv, env) | default_ciphers(target, env)


def default_ciphers(target: Target, env: dict[str, str] | None = None) -> Settings:
    """Return ssh's own list of ciphers, under the key `default ciphers`."""
    return {"default ciphers": effective([target.argv[0], "-F", "none", "localhost"], env).get("ciphers", [""])}


def login_names(settings: Settings) -> tuple[str, frozenset[str]]:
    """Return the user, and the host names (lower case), that ssh may show in its password prompt."""
    names = {first(settings, "hostname").lower(), first(settings, "hostkeyalias").lower()} - {"", "none"}
    return first(settings, "user"), frozenset(names)


def way(settings: Settings) -> str:
    """Return the jump hosts or the proxy command on the way to the machine, or "" for a direct connection."""
    return next(
        (value for key in ("proxyjump", "proxycommand") if (value := first(settings, key)) not in ("", "none")), ""
    )


def sent_file(path: str) -> str:
    """Return the file of `keep_sent` for the master at `path`."""
    return f"{path}.env"


def keep_sent(path: str, settings: Settings) -> None:
    """Keep which variables ssh sends to the host (SendEnv, SetEnv), beside the socket of the master at `path`.

    If they cannot be written, as on a full disk, no file is left, so that `sent_variables` does not know them.
    """
    lines = [f"{key} {value}\n" for key in ("sendenv", "setenv") for value in settings.get(key, [])]
    try:
        handle = os.open(sent_file(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(["# variables that ssh sends to the host\n", *lines])
    except OSError:
        forget_sent(path)


def forget_sent(path: str) -> None:
    """Remove what `keep_sent` kept for the master at `path`."""
    with contextlib.suppress(OSError):
        os.unlink(sent_file(path))  # noqa: PTH108 - a socket's name is text here


def sent_variables(path: str, env: dict[str, str]) -> list[str] | None:
    """Return NAME=VALUE for each variable that ssh would send over the master at `path`.

    Return None if this is not known.
    """
    from fnmatch import fnmatchcase  # noqa: PLC0415 - only an open connection needs it

    try:
        with open(sent_file(path), encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            lines = [line.rstrip("\n").partition(" ") for line in file if not line.startswith("#")]
    except OSError:
        return None
    patterns = [value for key, _, value in lines if key == "sendenv"]
    sent = {name: value for name, value in env.items() if any(fnmatchcase(name, each) for each in patterns)}
    for key, _, value in lines:
        if key == "setenv":
            name, _, text = value.partition("=")
            sent[name] = text
    return [f"{name}={value}" for name, value in sent.items()]
