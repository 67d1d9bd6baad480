"""Builds scripts and argv that let one host copy to another, for one hour and with one command.

Runs none of them. The source's rsync logs in to the destination with a key that is made for this transfer. The key
is in an ssh-agent on this machine, and the socket of this agent is forwarded to the source. A line in the
destination's authorized_keys limits the key to exactly the rsync server command that the source's rsync requests
(sshd(8), "AUTHORIZED_KEYS FILE FORMAT").
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
    """The address of a host's sshd, and the user who logs in.

    `direct` means that other hosts can reach the address too.
    """

    host: str
    port: int
    user: str
    direct: bool


def address(settings: dict[str, str]) -> Address:
    """The address of a host, from the output of `ssh -G`. An address behind a jump host or on loopback is not
    `direct`.
    """
    host = settings.get("hostname", "")
    indirect = any(settings.get(key, "none") != "none" for key in ("proxyjump", "proxycommand"))
    return Address(
        host, int(settings.get("port", "22")), settings.get("user", ""),
        not indirect and not _LOOPBACK.fullmatch(host),
    )  # fmt: skip


def preparing(mark: str, known_hosts: list[str]) -> str:
    """The command that creates, at the source, a private folder with the destination's host keys and two scripts.

    The scripts run in place of ssh: `note` records the command that it gets, and `join` connects rsync to the
    command of `bridging`. The command prints `folder PATH`.
    """
    return call("prepare_source", mark, program("note_command"), program("join_bridge"), *known_hosts)


def cleaning(mark: str) -> str:
    """The command that removes, at the source, what the command of `preparing` has created."""
    return call("clean_source", mark)


def piping(folder: str) -> str:
    """The command that makes, at the source, the pipes between the script `join` and the command of `bridging`."""
    return call("make_pipes", folder)


def bridging(folder: str, mark: str) -> str:
    """The command that prints, at the source, the line `mark`, and then connects the pipes to its channel."""
    return call("bridge", folder, mark)


def introducing() -> str:
    """The command that prints, at the destination, the host's clock and public host keys."""
    return call("introduce")


def allowing(line: str, mark: str, clock: str) -> str:
    """The command that adds, at the destination, `line` to authorized_keys, and prints `allowed`.

    It removes an older line with the same `mark`. It also removes lines of earlier transfers that expired before
    `clock`.
    """
    return call("allow_key", line, mark, clock)


def forbidding(mark: str) -> str:
    """The command that removes, at the destination, the line with `mark` from authorized_keys."""
    return call("forbid_key", mark)


def key_line(public_key: str, command: str, clock: str) -> str:
    """The authorized_keys line that lets `public_key` run `command` for the time LIFETIME after `clock`.

    `clock` is the host's time, to the minute. Raises UsageError for a command that cannot be written in such a
    line.
    """
    if "\n" in command or command.endswith("\\"):
        raise UsageError(
            "a newline or a backslash in this path cannot be passed on to the other host", code="bad_path"
        )
    until = (datetime.strptime(clock, "%Y%m%d%H%M") + LIFETIME).strftime("%Y%m%d%H%M")
    quoted = command.replace('"', '\\"')
    return f'restrict,expiry-time="{until}",command="{quoted}" {public_key.strip()}'


def known_hosts(lines: list[str]) -> list[str]:
    """Lines of known_hosts for the name ALIAS, from the output of ssh-keygen -F or from the contents of *.pub
    files.
    """
    keys = []
    for line in lines:
        words = line.split()
        at = next((at for at, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-", "sk-"))), None)
        if at is not None and not line.startswith(("#", "@")) and len(words) > at + 1:
            keys.append(f"{ALIAS} {words[at]} {words[at + 1]}")
    return list(dict.fromkeys(keys))


def login_words(user: str, port: int, folder: str, agent: str) -> list[str]:
    """The argv of ssh on the source host, without the destination.

    This ssh uses only the key and the known_hosts of this transfer.
    """
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
    """The lines of a script's output, grouped by their first word. A line has the form `word rest`.

    Output of login files may be among the lines.
    """
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        found.setdefault(word, []).append(rest)
    return found
