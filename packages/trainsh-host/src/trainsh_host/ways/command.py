"""Runs one command on a machine, and returns the command's exit status."""

import contextlib
import os
import select
import shlex
import signal

from trainsh_base.errors import TrainError, Unreachable, UsageError
from trainsh_base.remote import ssh
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.remote.ssh_config import no_ssh
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system import spawn
from trainsh_host.model import Ran


def shell_line(words: list[str]) -> str:
    """The command line for the remote shell.

    If there is only one word, it is the command line itself, as with ssh. Several words are quoted, so that the
    shell gets the same words.
    """
    if not words:
        raise UsageError("there is no command", "write it after --: train host run NAME -- nvidia-smi")
    return words[0] if len(words) == 1 else shlex.join(words)


def run(target: Target, line: str, request: Request) -> Ran:
    """Run the command line `line` on the machine.

    For people, the command uses the standard streams of this process. For programs, its output is sent as events
    and also collected.
    """
    ssh.ensure_master(target, request)
    argv = target.remote_argv(line)
    ran = _through(argv, target) if request.for_people else _collected(argv, target, request)
    if ran.exit == 255 and target.control_path and master_pid(target.control_path) is None:
        raise Unreachable(
            f"the connection to {target.label} was lost while the command ran",
            "it may still be running there; a command that must survive this belongs in a session: train "
            f"tmux open {target.name} work", code="lost",
        )  # fmt: skip
    return ran


def _through(argv: list[str], target: Target) -> Ran:
    """Run `argv` with the standard streams of this process, byte for byte."""
    path = argv[0] if "/" in argv[0] else next(
        (f"{part}/{argv[0]}" for part in os.get_exec_path() if os.access(f"{part}/{argv[0]}", os.X_OK)), ""
    )  # fmt: skip
    if not path:
        raise no_ssh()
    if "TRAINSH_DEBUG" in os.environ:
        spawn.show_argv(argv)
    pid = os.posix_spawn(path, argv, target.environment(), setsigdef=[signal.SIGPIPE])
    try:
        _, code = os.waitpid(pid, 0)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        raise
    status = os.waitstatus_to_exitcode(code)
    return Ran(exit=status if status >= 0 else 128 - status)


def _collected(argv: list[str], target: Target, request: Request) -> Ran:
    """Run `argv` with empty input.

    Its output is sent as `output` events while it runs, and is returned as a whole at the end.
    """
    reader, writer = os.pipe()
    try:
        child = spawn.start(argv, env=target.environment(), stderr=writer)
    except FileNotFoundError:
        raise no_ssh() from None
    finally:
        os.close(writer)
    child.close_stdin()
    request.on_cancel(child.end)
    parts: dict[int, list[bytes]] = {child.stdout: [], reader: []}
    streams = {child.stdout: "stdout", reader: "stderr"}
    open_ = list(parts)
    ready = select.poll()
    for handle in open_:
        ready.register(handle, select.POLLIN)
    while open_:
        for handle, _ in ready.poll():
            chunk = os.read(handle, 65536)
            if chunk:
                parts[handle].append(chunk)
                request.emit("output", data=chunk.decode(errors="replace"), stream=streams[handle])
            else:
                open_.remove(handle)
                ready.unregister(handle)
                os.close(handle)
    status = child.wait()
    request.check()
    texts = [b"".join(found).decode(errors="replace") for found in parts.values()]
    return Ran(exit=status if status >= 0 else 128 - status, stdout=texts[0], stderr=texts[1])


def ensure_if_stored(target: Target, request: Request) -> None:
    """Log in before the command runs, if the machine has a stored password.

    Otherwise ssh would ask for the password on the terminal.
    """
    if target.secret:
        try:
            ssh.ensure_master(target, request)
        except TrainError as error:
            if error.code != "no_tool":
                raise


def handover_argv(target: Target, line: str | None) -> list[str]:
    """The argv of an ssh that replaces this process and may log in by itself.

    The remote command gets a terminal if this process has one: `htop` needs it. If the output is piped into `grep`,
    there is no terminal, so that the output has no escapes.
    """
    argv = target.remote_argv(line, terminal=True)
    if os.isatty(0) and (line is None or os.isatty(1)):
        return argv
    return ["-T" if word == "-tt" else word for word in argv]
