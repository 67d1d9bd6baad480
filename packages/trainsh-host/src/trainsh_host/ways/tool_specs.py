"""Checks specs that come from a tool's answer: only options that cannot do harm on this machine are allowed."""

import msgspec

from trainsh_base.errors import UsageError
from trainsh_base.remote.host_spec import Spec

# Options that run no program, read and write no file, and forward nothing on this machine.
_TAKEN = frozenset([
    "addressfamily", "ciphers", "compression", "connectionattempts", "connecttimeout", "hostkeyalgorithms",
    "hostkeyalias", "hostname", "identitiesonly", "ipqos", "kbdinteractiveauthentication", "kexalgorithms", "macs",
    "numberofpasswordprompts", "passwordauthentication", "port", "preferredauthentications",
    "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes", "pubkeyauthentication", "rekeylimit",
    "serveralivecountmax", "serveraliveinterval", "tcpkeepalive", "user",
])  # fmt: skip
# Options about host keys. They have no effect, because the machine gets a known_hosts file of its own.
_OVERRULED = frozenset(["stricthostkeychecking", "userknownhostsfile", "globalknownhostsfile", "loglevel"])


def harmless(spec: Spec, text: str) -> Spec:
    """The spec without the options that have no effect.

    Raises UsageError if a tool may not set one of the options.
    """
    options = []
    for option in spec.options:
        key = option.partition("=")[0].lower()
        if key in _TAKEN:
            options.append(option)
        elif key not in _OVERRULED:
            raise UsageError(
                f"the ssh option {option.partition('=')[0]} is not accepted from a tool's answer: {text!r}",
                "its author can answer with a whole target instead (docs/providers.md)", code="bad_spec",
                data={"option": key},
            )  # fmt: skip
    return msgspec.structs.replace(spec, options=options)
