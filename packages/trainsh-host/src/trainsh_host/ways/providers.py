"""Resolves `NAME:REF`, a machine of a provider, with `train-NAME resolve`."""

import msgspec

from trainsh_base.errors import MissingProgram, UsageError
from trainsh_base.remote.target import Target, control_path
from trainsh_host.ways.own_keys import ACCEPT_FIRST, key_file, key_options

RESOLVE_LIMIT = 25.0  # seconds within which a provider must resolve a machine


def provided(tool: str, reference: str, name: str) -> Target:
    """The target that a provider's tool returns for the machine `reference`.

    A rented machine gets a known_hosts file of its own. The id `machine` in the answer becomes the name of this
    file. Raises MissingProgram if the tool is not installed, UsageError if its answer is not a target, and the
    errors of the tool.
    """
    if not has_tool(tool):
        raise no_tool(tool, name)
    from trainsh_base.tool.peer import call  # noqa: PLC0415 - only machines of a provider need it

    answer = call(tool, "resolve", {"ref": reference}, timeout=RESOLVE_LIMIT)
    try:
        found = msgspec.convert(answer, Target)
    except msgspec.ValidationError as error:
        raise UsageError(f"train-{tool} resolve did not answer with a target: {error}", code="bad_answer") from None
    found = msgspec.structs.replace(found, label=found.label or name)
    if not found.rented or found.known_hosts or found.kind == "local":
        return found
    return with_own_keys(found, f"{tool}-{found.machine or reference}")


def with_own_keys(target: Target, machine: str) -> Target:
    """`target` with a known_hosts file of its own. ssh stores the first host key in it without a question."""
    file = key_file(machine)
    argv = [target.argv[0], *key_options(file), "-o", ACCEPT_FIRST, *target.argv[1:]]
    return msgspec.structs.replace(target, argv=argv, known_hosts=file, control_path=control_path(argv, target.env))


def has_tool(tool: str) -> bool:
    """Whether `train-TOOL` is installed."""
    from trainsh_base.system.spawn import tool_path  # noqa: PLC0415 - only machines of a provider need it

    return tool_path(tool) is not None


def no_tool(tool: str, name: str) -> MissingProgram:
    """The error for a machine whose tool is not installed."""
    return MissingProgram(
        f"{name} is a machine of train-{tool}, which is not on PATH",
        f"install trainsh-{tool}, or give the machine's address: user@host -p PORT", code="no_tool",
        data={"tool": tool},
    )  # fmt: skip
