"""Why ssh could not connect: its own words read into an error of ours, with the way to mend it."""

import re
from collections.abc import Callable

from trainsh_base.errors import CredentialError, MissingProgram, RemoteError, TrainError, Unreachable
from trainsh_base.remote.target import Target

_OFFENDING = re.compile(r"Offending (?:\S+ )?key in (.+):(\d+)")
_REMOVE = re.compile(r"^\s*(ssh-keygen -f .+)$", re.MULTILINE)
_UNKNOWN = re.compile(r"No \S+ host key is known for (\S+) and you have requested strict checking")
_NOISE = re.compile(
    r"^(@+|Warning: Permanently added|Connection closed by UNKNOWN|debug\d|mux_client_|Shared connection|\*\* )"
)


def last_words(said: str) -> str:
    """The line of ssh's messages that tells most: the last that is no decoration."""
    lines = [line.strip() for line in said.replace("\r", "\n").splitlines() if line.strip()]
    telling = [line for line in lines if not _NOISE.match(line)]
    return (telling or lines or ["ssh said nothing"])[-1].removeprefix("ssh: ")


def explain(target: Target, said: str) -> TrainError:
    """The error that ssh's messages `said` mean. Unreachable ones may be tried again, the others not."""
    for pattern, make in _TABLE:
        if pattern.search(said):
            return make(target, said)
    return Unreachable(
        f"cannot connect to {target.label}: {last_words(said)}", f"try it by hand: {by_hand(target)}",
        code="no_connection",
    )  # fmt: skip


def by_hand(target: Target) -> str:
    """The command that a person pastes to see the same."""
    import shlex  # noqa: PLC0415 - only an error needs it

    return shlex.join([target.argv[0], "-v", *target.argv[1:]])


def no_ssh() -> MissingProgram:
    """The error on a machine without ssh."""
    from trainsh_base.system.proc import missing  # noqa: PLC0415 - subprocess costs 10 ms, and hardly anybody comes here

    return missing("ssh")


def _host_key_changed(target: Target, said: str) -> TrainError:
    where = _OFFENDING.search(said)
    line = f"{where[1]}, line {where[2]}" if where else "the known hosts file"
    remove = _REMOVE.search(said)
    mend = remove[1].strip() if remove else f'ssh-keygen -R "{target.destination.rpartition("@")[2]}"'
    return Unreachable(
        f"the host key of {target.label} is not the one known from before ({line}): it was "
        "reinstalled, or somebody stands between you and it",
        f"ask whoever runs it; when the new key is right, forget the old one: {mend}",
        code="host_key_changed", data={"file": where[1] if where else "", "line": int(where[2]) if where else 0},
    )  # fmt: skip


def _host_key_unknown(target: Target, said: str) -> TrainError:
    return Unreachable(
        f"the host key of {target.label} is not known, and it was not accepted: {last_words(said)}",
        f"connect once by hand and compare the fingerprint: {by_hand(target)}", code="host_key_unknown",
    )  # fmt: skip


def _name(target: Target, said: str) -> TrainError:
    return Unreachable(
        f"cannot find {target.label}: {last_words(said)}",
        "check the spelling, the network, and the Host blocks of ~/.ssh/config", code="name_not_resolved",
    )  # fmt: skip


def _refused(target: Target, said: str) -> TrainError:
    return Unreachable(
        f"{target.label} refuses connections: {last_words(said)}",
        "is it the right port, and does sshd run there?", code="refused",
    )  # fmt: skip


def _timeout(target: Target, said: str) -> TrainError:
    return Unreachable(
        f"{target.label} does not answer: {last_words(said)}",
        "is it switched on, and is there a firewall or a VPN between?", code="no_answer",
    )  # fmt: skip


def _auth(target: Target, said: str) -> TrainError:
    methods = re.search(r"Permission denied \((.+?)\)", said)
    many = "Too many authentication failures" in said
    hint = (
        "the agent offers more keys than the host allows: name the right one with -i KEY -o IdentitiesOnly=yes"
        if many
        else f"see which keys are tried: {by_hand(target)}"
    )
    missing = re.search(r"Identity file (.+?) not accessible", said)
    if missing:
        hint = f"there is no key file {missing[1]}"
    unsafe = re.search(r"Permissions \d+ for '(.+?)' are too open", said)
    if unsafe:
        hint = f"others can read the key, so ssh ignores it: chmod 600 {unsafe[1]}"
    accepts = f" (it accepts {methods[1]})" if methods else ""
    return CredentialError(
        f"{target.label} does not let us in{accepts}: {last_words(said)}", hint, code="authentication_refused"
    )


def _closed(target: Target, said: str) -> TrainError:
    return Unreachable(
        f"{target.label} closed the connection: {last_words(said)}",
        "it may be starting, or refuse this address; try again in a moment", code="closed",
    )  # fmt: skip


def _algorithms(target: Target, said: str) -> TrainError:
    return RemoteError(
        f"{target.label} and this ssh have no common algorithm: {last_words(said)}",
        "allow one that it offers, for instance -o HostKeyAlgorithms=+ssh-rsa", code="no_common_algorithm",
    )  # fmt: skip


def _bad_ssh(target: Target, said: str) -> TrainError:
    return Unreachable(
        f"ssh cannot use the settings for {target.label}: {last_words(said)}",
        "look at ~/.ssh/config and at: train host show " + target.name, code="bad_ssh",
    )  # fmt: skip


_TABLE: list[tuple[re.Pattern[str], Callable[[Target, str], TrainError]]] = [
    (re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED|Offending .*key in"), _host_key_changed),
    (re.compile(r"Host key verification failed|host key is known for"), _host_key_unknown),
    (
        re.compile(r"Bad configuration option|terminating, \d+ bad|Bad owner or perm|unknown option"),
        _bad_ssh,
    ),
    (re.compile(r"Permission denied|Too many authentication failures|No supported authentication"), _auth),
    (re.compile(r"Unable to negotiate|no matching .* found"), _algorithms),
    (re.compile(r"Could not resolve|Name or service not known|nodename nor servname|Temporary failure"), _name),
    (re.compile(r"Connection refused"), _refused),
    (re.compile(r"timed out|No route to host|unreachable|Host is down|Timeout", re.IGNORECASE), _timeout),
    (re.compile(r"Connection (closed|reset)|kex_exchange|Broken pipe|open failed|forwarding failed"), _closed),
]
