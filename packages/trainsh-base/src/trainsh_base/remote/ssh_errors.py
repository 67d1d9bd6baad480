"""Turns ssh's messages into an error that says why it could not connect and what to do next.

ssh's stderr is not trusted. A banner, or the reason that a server gives for hanging up, appears among ssh's own
lines and may imitate one. So patterns must match whole lines, and no text from them becomes part of a command:
each command in a hint is built from the target and from the settings that `ssh -G` prints.
"""

import os
import re
import shlex
from collections.abc import Callable

from trainsh_base.errors import CredentialError, RemoteError, TrainError, Unreachable
from trainsh_base.remote.ssh_config import Settings, effective
from trainsh_base.remote.target import Target

_OFFENDING = re.compile(r"Offending (?:\S+ )?key in (.+):(\d{1,7})")
_CHANGED = re.compile(r"(?:\S+ )?[Hh]ost key for (\S+) has changed and you have requested strict checking\.")
_ACCEPTS = re.compile(r"(?:\S+: )?Permission denied \(([a-z,-]+)\)\.?")
_NO_KEY_FILE = re.compile(r"Warning: Identity file (.+) not accessible: .+")
_OPEN_KEY_FILE = re.compile(r"Permissions \d+ for '(.+)' are too open\.")
_NOISE = re.compile(
    r"@+|Warning: Permanently added|Connection closed by UNKNOWN|debug\d|mux_client_|Shared connection|\*\* |"
    r"Connection to \S+ closed"
)


def lines_of(said: str) -> list[str]:
    """Return the non-empty lines of what ssh printed."""
    return [line.strip() for line in said.replace("\r", "\n").splitlines() if line.strip()]


def last_line(said: str) -> str:
    """Return the most useful line of ssh's messages: the last one that is not decoration."""
    lines = lines_of(said)
    telling = [line for line in lines if not _NOISE.match(line)]
    return (telling or lines or ["ssh printed nothing"])[-1].removeprefix("ssh: ")


def explain(target: Target, said: str) -> TrainError:
    """Return the error for ssh's messages `said`. Only an Unreachable may be tried again."""
    lines = lines_of(said)
    for pattern, make in _TABLE:
        if any(pattern.fullmatch(line) for line in lines):
            return make(target, said)
    return Unreachable(
        f"cannot connect to {target.label}: {last_line(said)}", f"try it by hand: {by_hand(target)}",
        code="no_connection",
    )  # fmt: skip


def by_hand(target: Target) -> str:
    """Return the command with which a person can reproduce the error."""
    return shlex.join([target.argv[0], "-v", *target.argv[1:]])


def _found(pattern: re.Pattern[str], said: str) -> re.Match[str] | None:
    return next((match for line in lines_of(said) if (match := pattern.fullmatch(line))), None)


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
    # The host whose key changed may be a jump host: a command is given for the target's own names only.
    names = _known_as(settings)
    name = changed[1].lower() if changed else next(iter(names), "")
    hint = f"ask its administrator, and check: {by_hand(target)}"
    if name in names:
        words = ["ssh-keygen", *(["-f", file] if file else []), "-R", name]
        hint = f"ask its administrator; if the new key is right, remove the old one: {shlex.join(words)}"
    place = f"{file}, line {line}" if file else "the known hosts file"
    return Unreachable(
        f"the host key of {target.label} is not the one known from before ({place}): it was reinstalled, or "
        "somebody stands between you and it",
        hint, code="host_key_changed", data={"file": file, "line": line},
    )  # fmt: skip


def _known_as(settings: Settings) -> list[str]:
    """Return the names under which ssh stores the target's host key."""
    alias = settings.get("hostkeyalias", ["none"])[0].lower()
    if alias != "none":
        return [alias]
    host, port = settings.get("hostname", [""])[0].lower(), settings.get("port", ["22"])[0]
    return [] if not host else [host] if port == "22" else [f"[{host}]:{port}"]


def _host_key_unknown(target: Target, said: str) -> TrainError:
    return Unreachable(
        f"the host key of {target.label} is not known, and it was not accepted: {last_line(said)}",
        f"connect once by hand and compare the fingerprint: {by_hand(target)}", code="host_key_unknown",
    )  # fmt: skip


def _name(target: Target, said: str) -> TrainError:
    return Unreachable(
        f"cannot find {target.label}: {last_line(said)}",
        "check the spelling, the network, and the Host blocks of ~/.ssh/config", code="name_not_resolved",
    )  # fmt: skip


def _refused(target: Target, said: str) -> TrainError:
    return Unreachable(
        f"{target.label} refuses connections: {last_line(said)}",
        "is it the right port, and does sshd run there?", code="refused",
    )  # fmt: skip


def _timeout(target: Target, said: str) -> TrainError:
    return Unreachable(
        f"{target.label} does not answer: {last_line(said)}",
        "is it switched on, and is there a firewall or a VPN between?", code="no_answer",
    )  # fmt: skip


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


def _closed(target: Target, said: str) -> TrainError:
    return Unreachable(
        f"{target.label} closed the connection: {last_line(said)}",
        "it may be starting, or refuse this address; try again in a moment", code="closed",
    )  # fmt: skip


def _algorithms(target: Target, said: str) -> TrainError:
    return RemoteError(
        f"{target.label} and this ssh have no common algorithm: {last_line(said)}",
        "allow one that it offers, for instance -o HostKeyAlgorithms=+ssh-rsa", code="no_common_algorithm",
    )  # fmt: skip


def _bad_ssh(target: Target, said: str) -> TrainError:
    return Unreachable(
        f"ssh cannot use the settings for {target.label}: {last_line(said)}",
        f"look at ~/.ssh/config and at: {shlex.join(['train', 'host', 'show', target.name])}", code="bad_ssh",
    )  # fmt: skip


_CONNECT = r"(?:ssh: )?connect to (?:host|address) .+: "
_OPEN_FAILED = r"channel \d+: open failed: .*"
# The first entry whose pattern matches a whole line of ssh's output is used.
_TABLE: list[tuple[re.Pattern[str], Callable[[Target, str], TrainError]]] = [
    (
        re.compile(rf"@ +WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! +@|"
            rf"{_CHANGED.pattern}|{_OFFENDING.pattern}"),
        _host_key_changed,
    ),
    (
        re.compile(r"Host key verification failed\.|No \S+ host key is known for \S+ and you have requested .+"),
        _host_key_unknown,
    ),
    (
        re.compile(
            r"(?:command.line|/.+)[: ]+line \d+: .+|.+: terminating, \d+ bad configuration options|"
            r"Bad owner or permissions on .+|unknown option -- .+|Bad port .+"
        ),
        _bad_ssh,
    ),
    (
        re.compile(
            r"(?:\S+: )?Permission denied.*|(?:Received disconnect from .+: ?)?Too many authentication failures.*|"
            r"No supported authentication methods available.*"
        ),
        _auth,
    ),
    (re.compile(r"Unable to negotiate with .+|no matching .+ found.*"), _algorithms),
    (re.compile(r"(?:ssh: )?Could not resolve hostname .+"), _name),
    (re.compile(rf"{_CONNECT}Connection refused|{_OPEN_FAILED}Connection refused.*"), _refused),
    (
        re.compile(
            rf"(?:{_CONNECT}|{_OPEN_FAILED})(?:Connection timed out|Operation timed out|No route to host|"
            r"Network is unreachable|Host is down).*|Connection (?:to .+ )?timed out.*|Timeout, server .+"
        ),
        _timeout,
    ),
    (
        re.compile(
            r"Connection (?:closed|reset) by .+|(?:kex|ssh)_exchange_identification: .+|banner exchange: .+|"
            rf".*Broken pipe|{_OPEN_FAILED}|stdio forwarding failed|ssh_dispatch_run_fatal: .+|"
            r"Received disconnect .+"
        ),
        _closed,
    ),
]  # fmt: skip
