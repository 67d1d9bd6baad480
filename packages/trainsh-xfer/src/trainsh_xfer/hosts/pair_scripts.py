"""Scripts and argv that let one host copy to another, for one hour and with one command. Pure.

The source's rsync logs in to the destination with a key made for this transfer. The key lives in an agent on this
machine, whose socket is forwarded to the source. A line in the destination's authorized_keys limits the key to the
exact rsync server command that the source's rsync requests (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").
"""

import re
from datetime import datetime, timedelta

import msgspec

from trainsh_base.errors import UsageError
from trainsh_xfer.remote.library import call, program

ALIAS = "trainsh-xfer"
LIFETIME = timedelta(hours=1)

_LOOPBACK = re.compile(r"localhost|127\..*|::1|0\.0\.0\.0")


class Address(msgspec.Struct, frozen=True):
    """The address of a host's sshd and the user who logs in. `direct`: other hosts can reach it too."""

    host: str
    port: int
    user: str
    direct: bool


def address(settings: dict[str, str]) -> Address:
    """The address in the output of `ssh -G` for a host. One behind a jump host or on loopback is not `direct`."""
    host = settings.get("hostname", "")
    indirect = any(settings.get(key, "none") != "none" for key in ("proxyjump", "proxycommand"))
    return Address(
        host, int(settings.get("port", "22")), settings.get("user", ""),
        not indirect and not _LOOPBACK.fullmatch(host),
    )  # fmt: skip


def preparing(mark: str, known_hosts: list[str]) -> str:
    """At the source: create a private folder with the destination's host keys, and two stand-ins for ssh: `note`
    records its command, `join` joins rsync to `bridging`. Prints `folder PATH`."""
    return call("prepare_source", mark, program("note_command"), program("join_bridge"), *known_hosts)


def cleaning(mark: str) -> str:
    """At the source: remove what `preparing` created."""
    return call("clean_source", mark)


def piping(folder: str) -> str:
    """At the source: make the pipes between `join` and `bridging`."""
    return call("make_pipes", folder)


def bridging(folder: str, mark: str) -> str:
    """At the source: print the sentinel `mark`, then join the pipes to the channel."""
    return call("bridge", folder, mark)


def introducing() -> str:
    """At the destination: print its clock and its public host keys."""
    return call("introduce")


def allowing(line: str, mark: str, clock: str) -> str:
    """At the destination: add `line` to authorized_keys, in place of an older one with the same `mark` and of lines
    that expired before `clock`. Prints `allowed`."""
    return call("allow_key", line, mark, clock)


def forbidding(mark: str) -> str:
    """At the destination: remove the line with `mark` from authorized_keys."""
    return call("forbid_key", mark)


def key_line(public_key: str, command: str, clock: str) -> str:
    """The authorized_keys line that lets `public_key` run `command` until LIFETIME after `clock`, the host's time
    to the minute.

    Raises UsageError for a command that cannot be written in such a line.
    """
    if "\n" in command or command.endswith("\\"):
        raise UsageError(
            "a newline or a backslash in this path cannot be passed on to the other host", code="bad_path"
        )
    until = (datetime.strptime(clock, "%Y%m%d%H%M") + LIFETIME).strftime("%Y%m%d%H%M")
    quoted = command.replace('"', '\\"')
    return f'restrict,expiry-time="{until}",command="{quoted}" {public_key.strip()}'


def known_hosts(lines: list[str]) -> list[str]:
    """known_hosts lines for ALIAS, from the output of ssh-keygen -F or the contents of *.pub files."""
    keys = []
    for line in lines:
        words = line.split()
        at = next((at for at, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-", "sk-"))), None)
        if at is not None and not line.startswith(("#", "@")) and len(words) > at + 1:
            keys.append(f"{ALIAS} {words[at]} {words[at + 1]}")
    return list(dict.fromkeys(keys))


def login_words(user: str, port: int, folder: str, agent: str) -> list[str]:
    """The argv of ssh on the source host, without the destination. ssh uses only our key and our known_hosts."""
    options = {
        "IdentityAgent": f"{folder}/{agent}", "IdentityFile": "none", "HostKeyAlias": ALIAS,
        "UserKnownHostsFile": f"{folder}/known_hosts", "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes", "PreferredAuthentications": "publickey", "BatchMode": "yes",
        "ConnectTimeout": "10", "ServerAliveInterval": "10", "ServerAliveCountMax": "3",
    }  # fmt: skip
    words = ["ssh", "-F", "none", "-x", "-p", str(port), "-l", user]
    for key, value in options.items():
        words += ["-o", f"{key}={value}"]
    return words


def answers(text: str) -> dict[str, list[str]]:
    """The `word rest` lines of a script's output, grouped by first word. Output of login files may be among
    them."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        found.setdefault(word, []).append(rest)
    return found
