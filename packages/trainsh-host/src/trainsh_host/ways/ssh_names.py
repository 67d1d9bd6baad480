"""Finds names that ssh can resolve: `Host` blocks of the user's settings, and names in DNS."""

import re
import shlex
import socket
from pathlib import Path

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.remote.host_spec import parse_option, parse_port
from trainsh_base.remote.ssh_config import READ_LIMIT
from trainsh_base.system.proc import run
from trainsh_base.system.suggest import did_you_mean

# Settings that do not identify a machine, and settings that train itself sets.
_OURS = frozenset([
    "host", "match", "include", "controlmaster", "controlpath", "controlpersist", "localforward", "remoteforward",
    "dynamicforward",
])  # fmt: skip


def settings(*argv: str) -> dict[str, str]:
    """The settings that ssh would use for this argv, from `ssh -G`.

    Raises UsageError if ssh rejects the argv or the user's settings files.
    """
    done = run(["ssh", "-G", *argv], check=False, timeout=READ_LIMIT)
    if done.status != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(f"ssh refuses the settings: {said[-1] if said else done.status}", code="bad_ssh")
    pairs = (line.partition(" ") for line in done.text().splitlines())
    return {key: value for key, _, value in pairs}


def known_to_ssh(name: str) -> bool:
    """Whether ssh has settings for `name` that are not for every name, or whether DNS knows `name`."""
    own, other = settings(name), settings("trainsh-no-such-name.invalid")
    if own.pop("hostname", name) != name:
        return True
    for both in (own, other):
        both.pop("hostname", None)
        both.pop("host", None)
    return own != other or _resolves(name)


def _resolves(name: str) -> bool:
    try:
        return bool(socket.getaddrinfo(name, None))
    except (OSError, UnicodeError):
        return False


def blocks(text: str) -> dict[str, list[tuple[str, str]]]:
    """Parse the `Host` blocks of an ssh settings file. Return a map from each name to its pairs (key, value).

    Names that are patterns are left out.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    names: list[str] = []
    for line in text.splitlines():
        word = re.match(r"\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.+?)\s*$", line)
        if not word:
            continue
        key, value = word[1].lower(), word[2]
        if key == "match":
            names = []
        elif key == "host":
            names = [name for name in _words(value) if not set(name) & set("*?!")]
            found.update({name: found.get(name, []) for name in names})
        else:
            for name in names:
                found[name].append((key, value.strip('"')))
    return found


def _words(value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError:
        return value.split()


def user_blocks() -> dict[str, list[tuple[str, str]]]:
    """The `Host` blocks of ~/.ssh/config."""
    try:
        return blocks((Path.home() / ".ssh" / "config").read_text(errors="replace"))
    except OSError:
        return {}


def fields(name: str, pairs: list[tuple[str, str]]) -> dict[str, object]:
    """The keys of hosts.toml for a `Host` block.

    If a key occurs several times, the first value is used, as in ssh.
    """
    first: dict[str, str] = {}
    options = []
    for key, value in pairs:
        if key in _OURS or (key in first and key not in ("sendenv", "setenv")):
            continue
        first.setdefault(key, value)
        if key not in ("hostname", "user", "port", "identityfile", "proxyjump"):
            options.append(parse_option(f"{key}={value}"))
    found: dict[str, object] = {"hostname": first.get("hostname", name)}
    if "user" in first:
        found["username"] = first["user"]
    if "port" in first:
        found["port"] = parse_port(first["port"])
    if "identityfile" in first:
        found |= {"auth_method": "key", "ssh_key_path": first["identityfile"]}
    if first.get("proxyjump", "none") != "none":
        found["jump_host"] = first["proxyjump"]
    return found | ({"ssh_options": options} if options else {})


def from_user_config(alias: str) -> dict[str, object]:
    """The keys of hosts.toml for an alias of ~/.ssh/config.

    If there is no such alias, raise NotFound with the most similar name as a hint.
    """
    known = user_blocks()
    if alias not in known:
        raise NotFound(
            f"~/.ssh/config has no Host block for {alias!r}", did_you_mean(alias, known), code="no_alias"
        )  # fmt: skip
    return fields(alias, known[alias])
