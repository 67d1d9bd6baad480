"""Opens the shared connection to a machine.

An ssh master is started, which logs in and then runs in the background.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable

import msgspec

from trainsh_base.errors import Unreachable
from trainsh_base.remote.askpass import Login, Questions
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.remote.retry import persist, transient
from trainsh_base.remote.ssh_config import (
    Settings,
    default_ciphers,
    effective,
    first,
    forget_sent,
    keep_sent,
    login_names,
    no_ssh,
    way,
)
from trainsh_base.remote.ssh_errors import explain
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system import spawn
from trainsh_base.system.configuration.config import config_value
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.units import format_duration

ALIVE_EVERY, ALIVE_MISSES = 5, 2
# Seconds after which a login counts as failed. The time that people take to answer questions is not counted.
LOGIN_LIMIT = 90.0
END_PATIENCE = 2.0
MOST_SAID = 1 << 16  # the most bytes of ssh's output that are kept, because a banner may be endless
# With AES-GCM, a large file takes 0.69 of the time that it takes with the cipher that ssh prefers.
FAST_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")


def open_master(target: Target, path: str, request: Request, *, ask: bool = True) -> None:
    """Log in once and leave an ssh master running, with its socket at `path`.

    If the user already has a live master, that master is used instead. With `ask=False` an additional master is
    opened, which asks no questions (BatchMode).

    Raises Unreachable, CredentialError or RemoteError, as ssh's messages tell. Raises Cancelled if the request is
    cancelled, and MissingProgram if ssh is not installed.
    """
    # No master answers at `path`. A crashed or stopped master may have left its socket there. Then ssh would not
    # become a master, so the socket is removed.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108 - a socket's name is text here
    forget_sent(path)
    env = target.environment()
    settings = effective(target.argv, env)
    if settings:
        keep_sent(path, settings)
    if ask and not target.rented and adopt(settings, path):
        return
    settings |= default_ciphers(target, env)
    argv = master_argv(target, path, settings, wishes(), ask=ask)
    user, hosts = login_names(settings)
    with Questions(target, request, Login(user=user, hosts=hosts, way=way(settings))) as questions:
        status, said = _log_in(argv, {**env, **questions.environment()}, questions, request)
    if status != 0 or master_pid(path) is None:
        raise explain(target, said)


def adopt(settings: Settings, path: str) -> bool:
    """Make `path` a link to the user's own master, if that master is alive. Return whether it is alive.

    The user's own master is the one at the ControlPath of the user's settings.
    """
    own = first(settings, "controlpath", "none")
    if own in ("", "none") or master_pid(own) is None:
        return False
    os.symlink(own, path)  # noqa: PTH211 - names of sockets are text here
    return True


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """The ssh settings of config.toml. Two are times in seconds; the third says whether AES-GCM is preferred."""

    connect_timeout: float = 15
    persist: float = 600
    ciphers_gcm: bool = True


def wishes() -> Wishes:
    """Read the ssh.* settings from config.toml."""
    return Wishes(**{name: config_value(f"ssh.{name}") for name in Wishes.__struct_fields__})


def master_argv(target: Target, path: str, settings: Settings, wished: Wishes, *, ask: bool = True) -> list[str]:
    """Return the argv that starts the master.

    `settings` holds what `ssh -G` prints. An option that the user has configured is not overridden. LogLevel is
    ERROR, because anyone on the network path can forge a server's banner: with ERROR, ssh does not print it among
    its own messages.
    """
    argv = [target.argv[0], "-f", "-N", "-M", "-S", path, "-T", "-x"]
    options = {
        "ControlPersist": _seconds(wished.persist), "RemoteCommand": "none", "ClearAllForwardings": "yes",
        "LogLevel": "ERROR", "PermitLocalCommand": "no",
    }  # fmt: skip
    if first(settings, "serveraliveinterval", "0") == "0":
        options |= {"ServerAliveInterval": str(ALIVE_EVERY), "ServerAliveCountMax": str(ALIVE_MISSES)}
    if first(settings, "connecttimeout", "none") == "none":
        options["ConnectTimeout"] = _seconds(wished.connect_timeout)
    ciphers = first(settings, "ciphers")
    if wished.ciphers_gcm and ciphers and ciphers == first(settings, "default ciphers"):
        options["Ciphers"] = fast_first(ciphers)
    if not ask:
        options |= {"BatchMode": "yes", "NumberOfPasswordPrompts": "0"}
    for key, value in options.items():
        argv += ["-o", f"{key}={value}"]
    return argv + target.argv[1:]


def fast_first(ciphers: str) -> str:
    """Return the list of ciphers with AES-GCM first.

    The list has all ciphers. The short form `^CIPHER` (put this cipher first) would need ssh 8.0.
    """
    names = ciphers.split(",")
    fast = [name for name in FAST_CIPHERS if name in names]
    return ",".join([*fast, *(name for name in names if name not in fast)])


def _seconds(duration: float) -> str:
    """Format `duration` as whole seconds for ssh. The result is at least 1, because 0 means no limit for ssh."""
    return str(max(1, round(duration)))


def _log_in(argv: list[str], env: dict[str, str], questions: Questions, request: Request) -> tuple[int, str]:
    """Run ssh until it goes to the background (status 0) or fails. Return its status and its output."""
    reader, writer = os.pipe()
    try:
        child = spawn.start(argv, env=env, stderr=writer)
    except FileNotFoundError:
        raise no_ssh() from None
    finally:
        os.close(writer)
    os.close(child.stdout)
    child.close_stdin()
    questions.ssh_pid = child.pid
    try:
        said = _listen(child, reader, questions, request)
    except BaseException:
        _kill(child)
        raise
    finally:
        os.close(reader)
    return _end_of(child), said


def _listen(child: spawn.Child, reader: int, questions: Questions, request: Request) -> str:
    began = time.monotonic()
    said = b""
    messages = select.poll()
    messages.register(reader, select.POLLIN)
    while True:
        if messages.poll(30):
            chunk = os.read(reader, 65536)
            said = (said + chunk)[-MOST_SAID:]
            if not chunk:
                return said.decode(errors="replace")
        elif child.poll() is not None:
            return said.decode(errors="replace")
        questions.serve()
        request.check()
        if time.monotonic() - began - questions.asked > LOGIN_LIMIT:
            raise Unreachable(f"the login did not end within {LOGIN_LIMIT:g} seconds", code="no_answer")


def _end_of(child: spawn.Child) -> int:
    """Return the exit status of an ssh that has closed its stderr. If this ssh does not exit soon, kill it."""
    deadline = time.monotonic() + END_PATIENCE
    while (status := child.poll()) is None:
        if time.monotonic() > deadline:
            _kill(child)
        time.sleep(0.002)
    return status


def _kill(child: spawn.Child) -> None:
    """End ssh and the processes in its session (jump hosts, proxies) with TERM, then KILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if child.poll() is None:
                os.killpg(child.pid, number)
        deadline = time.monotonic() + END_PATIENCE
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)


AT_ONCE = ("refused", "name_not_resolved")  # what ssh reports at once; other failures come with a busy machine too


def patient(
    request: Request, target: Target, deadline: Deadline, attempt: Callable[[], None], *, expected: bool
) -> None:
    """Call `attempt` until it succeeds, until it fails for good, or until `deadline` passes.

    The user is told once that the login is tried again. Unless the machine is `expected` to be there, a refused
    connection and a name that is not known are not tried again.
    """
    told: list[str] = []

    def again(error: BaseException) -> bool:
        return transient(error) and (expected or getattr(error, "code", "") not in AT_ONCE)

    def tell(error: BaseException, left: float) -> None:
        told.append(str(error))
        request.emit("log", message=f"{error}; trying again for {format_duration(left)}")

    persist(request, deadline, attempt, again, tell)
    if told:
        request.emit("log", message=f"connected to {target.label} again")
