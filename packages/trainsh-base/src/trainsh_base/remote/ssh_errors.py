"""Turns ssh's messages into an error that tells why ssh could not connect and what to do next.

ssh's stderr is not trusted. A banner, or the reason that a server gives for hanging up, appears among ssh's own
lines and may imitate them. So patterns must match whole lines, and no text from these lines becomes part of a
command. Each command in a hint is built from the target and from the settings that `ssh -G` prints.
"""

import os
import re
import shlex
from collections.abc import Callable

from trainsh_base.errors import CredentialError, RemoteError, TrainError, Unreachable
from trainsh_base.remote.ssh_config import Settings, effective
from trainsh_base.remote.target import Target

# Patterns are compiled only after ssh has failed, because every command that reaches a host loads this module.
_OFFENDING = r"Offending (?:\S+ )?key in (.+):(\d{1,7})"
_CHANGED = r"(?:\S+ )?[Hh]ost key for (\S+) has changed and you have requested strict checking\."
_ACCEPTS = r"(?:\S+: )?Permission denied \(([a-z,-]+)\)\.?"
_NO_KEY_FILE = r"Warning: Identity file (.+) not accessible: .+"
_OPEN_KEY_FILE = r"Permissions \d+ for '(.+)' are too open\."
_NOISE = (
    r"@+|Warning: Permanently added|Connection closed by UNKNOWN|debug\d|mux_client_|Shared connection|\*\* |"
    r"Connection to \S+ closed"
)
_CONNECT = r"(?:ssh: )?connect to (?:host|address) .+: "
_OPEN_FAILED = r"channel \d+: open failed: .*"


def lines_of(said: str) -> list[str]:
    """Return the non-empty lines of what ssh printed."""
    return [line.strip() for line in said.replace("\r", "\n").splitlines() if line.strip()]


def last_line(said: str) -> str:
    """Return the most useful line of ssh's messages: the last one that is not a warning or other noise."""
    lines = lines_of(said)
    telling = [line for line in lines if not re.match(_NOISE, line)]
    return (telling or lines or ["ssh printed nothing"])[-1].removeprefix("ssh: ")


def explain(target: Target, said: str) -> TrainError:
    """Return the error for ssh's messages `said`.

    Only if this error is Unreachable may the login be tried again.
    """
    lines = lines_of(said)
    for pattern, meaning in _MEANINGS:
        if any(re.fullmatch(pattern, line) for line in lines):
            return meaning(target, said) if callable(meaning) else _plain(target, said, *meaning)
    return _plain(
        target, said, Unreachable, "no_connection", "cannot connect to {label}: {last}", "try it by hand: {by_hand}"
    )


def _plain(target: Target, said: str, kind: type[TrainError], code: str, message: str, hint: str) -> TrainError:
    """Return the error that a row of _MEANINGS describes.

    `message` and `hint` may contain {label}, {last} (ssh's last line), and the commands {by_hand} and {show}.
    """
    values = {
        "label": target.label, "last": last_line(said), "by_hand": by_hand(target),
        "show": shlex.join(["train", "host", "show", target.name]),
    }  # fmt: skip
    return kind(message.format_map(values), hint.format_map(values), code=code)


def by_hand(target: Target) -> str:
    """Return the command with which a person can reproduce the error."""
    return shlex.join([target.argv[0], "-v", *target.argv[1:]])


def _found(pattern: str, said: str) -> re.Match[str] | None:
    return next((match for line in lines_of(said) if (match := re.fullmatch(pattern, line))), None)


def _settings(target: Target) -> Settings:
    try:
        return effective(target.argv, target.environment())
    except TrainError:
        return {}


def _host_key_changed(target: Target, said: str) -> TrainError:
    settings = _settings(target)
    files = f" {' '.join(settings.get('userknownhostsfile', []) + settings.get('globalknownhostsfile', []))} "
    offending = _found(_OFFENDING, said)
    file = offending[1] if offending and f" {offending[1]} " in files else ""
    line = int(offending[2]) if offending and file else 0
    changed = _found(_CHANGED, said)
    # The changed key may be the key of a jump host. So the hint has a command only if the name is one of the target
    # itself.
    names = _known_as(settings)
    name = changed[1].lower() if changed else next(iter(names), "")
    hint = f"ask the host's administrator, and check: {by_hand(target)}"
    if name in names:
        words = ["ssh-keygen", *(["-f", file] if file else []), "-R", name]
        hint = f"ask the host's administrator; if the new key is right, remove the old key: {shlex.join(words)}"
    place = f"{file}, line {line}" if file else "the known hosts file"
    return Unreachable(
        f"the host key of {target.label} is not the known one ({place}): the host was reinstalled, or "
        f"somebody intercepts the connection",
        hint, code="host_key_changed", data={"file": file, "line": line},
    )  # fmt: skip


def _known_as(settings: Settings) -> list[str]:
    """Return the names under which ssh stores the target's host key."""
    alias = settings.get("hostkeyalias", ["none"])[0].lower()
    if alias != "none":
        return [alias]
    host, port = settings.get("hostname", [""])[0].lower(), settings.get("port", ["22"])[0]
    return [] if not host else [host] if port == "22" else [f"[{host}]:{port}"]


def _auth(target: Target, said: str) -> TrainError:
    hint = f"see which keys are tried: {by_hand(target)}"
    if "Too many authentication failures" in said:
        hint = (
            "the agent offers more keys than the host allows: name the right one with -i KEY -o IdentitiesOnly=yes"
        )
    missing, readable = _found(_NO_KEY_FILE, said), _found(_OPEN_KEY_FILE, said)
    keys = _key_files(target) if missing or readable else set()
    if missing and missing[1] in keys:
        hint = f"there is no key file {shlex.quote(missing[1])}"
    if readable and readable[1] in keys:
        hint = f"others can read the key, so ssh ignores it: chmod 600 {shlex.quote(readable[1])}"
    methods = _found(_ACCEPTS, said)
    accepts = f" (the server accepts: {methods[1]})" if methods else ""
    return CredentialError(
        f"login refused by {target.label}{accepts}: {last_line(said)}", hint, code="authentication_refused"
    )


def _key_files(target: Target) -> set[str]:
    """Return the key files that the user configured, as ssh prints them."""
    named = [word for before, word in zip(target.argv, target.argv[1:], strict=False) if before == "-i"]
    every = [*named, *_settings(target).get("identityfile", [])]
    return {*every, *(os.path.expanduser(path) for path in every)}  # noqa: PTH111 - as text


# The kind, code, message and hint of an error; these are the arguments of _plain.
Plain = tuple[type[TrainError], str, str, str]
# Each row has a pattern for a whole line of ssh's output, and the error that such a line means. The first row whose
# pattern matches is used.
_MEANINGS: list[tuple[str, Plain | Callable[[Target, str], TrainError]]] = [
    (
        rf"@ +WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! +@|{_CHANGED}|{_OFFENDING}",
        _host_key_changed,
    ),
    (
        r"Host key verification failed\.|No \S+ host key is known for \S+ and you have requested .+",
        (
            Unreachable, "host_key_unknown",
            "the host key of {label} is not known, and it was not accepted: {last}",
            "connect once by hand and compare the fingerprint: {by_hand}",
        ),
    ),
    (
        r"(?:command.line|/.+)[: ]+line \d+: .+|.+: terminating, \d+ bad configuration options|"
        r"Bad owner or permissions on .+|unknown option -- .+|Bad port .+",
        (
            Unreachable, "bad_ssh", "ssh cannot use the settings for {label}: {last}",
            "look at ~/.ssh/config and at: {show}",
        ),
    ),
    (
        r"(?:\S+: )?Permission denied.*|(?:Received disconnect from .+: ?)?Too many authentication failures.*|"
        r"No supported authentication methods available.*",
        _auth,
    ),
    (
        r"Unable to negotiate with .+|no matching .+ found.*",
        (
            RemoteError, "no_common_algorithm", "{label} and this ssh have no common algorithm: {last}",
            "allow an algorithm that it offers, for instance -o HostKeyAlgorithms=+ssh-rsa",
        ),
    ),
    (
        r"(?:ssh: )?Could not resolve hostname .+",
        (
            Unreachable, "name_not_resolved", "cannot find {label}: {last}",
            "check the spelling, the network, and the Host blocks of ~/.ssh/config",
        ),
    ),
    (
        rf"{_CONNECT}Connection refused|{_OPEN_FAILED}Connection refused.*",
        (
            Unreachable, "refused", "{label} refuses connections: {last}",
            "is it the right port, and does sshd run there?",
        ),
    ),
    (
        rf"(?:{_CONNECT}|{_OPEN_FAILED})(?:Connection timed out|Operation timed out|No route to host|"
        r"Network is unreachable|Host is down).*|Connection (?:to .+ )?timed out.*|Timeout, server .+",
        (
            Unreachable, "no_answer", "{label} does not answer: {last}",
            "is the machine switched on, and is there a firewall or a VPN on the way?",
        ),
    ),
    (
        r"Connection (?:closed|reset) by .+|(?:kex|ssh)_exchange_identification: .+|banner exchange: .+|"
        rf".*Broken pipe|{_OPEN_FAILED}|stdio forwarding failed|ssh_dispatch_run_fatal: .+|Received disconnect .+",
        (
            Unreachable, "closed", "{label} closed the connection: {last}",
            "it may still be starting, or it refuses your address; try again in a moment",
        ),
    ),
]  # fmt: skip
