"""Opening the shared connection to a machine: one ssh that logs in, goes to the background and outlives us."""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable

import msgspec

from trainsh_base.errors import Unreachable
from trainsh_base.remote.askpass import Questions
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.remote.retry import persist, transient
from trainsh_base.remote.ssh_errors import explain, no_ssh
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system import spawn
from trainsh_base.system.config import config_value
from trainsh_base.system.units import format_duration

ALIVE_EVERY, ALIVE_MISSES = 5, 2
# A login that takes longer, questions to people not counted, has been lost on the way.
LOGIN_LIMIT = 90.0
# AES-GCM moves a large file in 0.69 of the time that ssh's own first choice takes.
FAST_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")


def open_master(target: Target, path: str, request: Request, *, ask: bool = True) -> None:
    """Log in once and leave a master at `path`. `ask=False`: without a question to anybody (BatchMode).

    Raises Unreachable, CredentialError, RemoteError as ssh's messages say; Cancelled; MissingProgram without ssh.
    """
    # Nobody answers there (a crash left it, or its owner is stopped), and ssh would go on without a socket.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108 - a socket's name is text here
    env = target.environment()
    argv = master_argv(target, path, chosen(target, env), wishes(), ask=ask)
    with Questions(target, request) as questions:
        status, said = _log_in(argv, {**env, **questions.environment()}, questions, request)
    if status != 0 or master_pid(path) is None:
        raise explain(target, said)


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What config.toml says about connections: seconds, seconds, and whether AES-GCM comes first."""

    connect_timeout: float = 15
    persist: float = 600
    ciphers_gcm: bool = True


def wishes() -> Wishes:
    """The settings ssh.* of config.toml."""
    return Wishes(**{name: config_value(f"ssh.{name}") for name in Wishes.__struct_fields__})


def master_argv(
    target: Target, path: str, settings: dict[str, str], wished: Wishes, *, ask: bool = True
) -> list[str]:
    """The words of the master; what `settings` (of `ssh -G`) shows as chosen by the user stays chosen."""
    words = [target.argv[0], "-f", "-N", "-M", "-S", path, "-T", "-x"]
    options = {
        "ControlPersist": _seconds(wished.persist), "RemoteCommand": "none", "ClearAllForwardings": "yes",
        "LogLevel": "INFO", "PermitLocalCommand": "no",
    }  # fmt: skip
    if settings.get("serveraliveinterval", "0") == "0":
        options |= {"ServerAliveInterval": str(ALIVE_EVERY), "ServerAliveCountMax": str(ALIVE_MISSES)}
    if settings.get("connecttimeout", "none") == "none":
        options["ConnectTimeout"] = _seconds(wished.connect_timeout)
    ciphers = settings.get("ciphers", "")
    if wished.ciphers_gcm and ciphers and ciphers == settings.get("default ciphers"):
        options["Ciphers"] = fast_first(ciphers)
    if not ask:
        options |= {"BatchMode": "yes", "NumberOfPasswordPrompts": "0"}
    for key, value in options.items():
        words += ["-o", f"{key}={value}"]
    return words + target.argv[1:]


def fast_first(ciphers: str) -> str:
    """The same list with AES-GCM in front, named one by one: `^`, which means that, is not known before 8.0."""
    names = ciphers.split(",")
    fast = [name for name in FAST_CIPHERS if name in names]
    return ",".join([*fast, *(name for name in names if name not in fast)])


def _seconds(duration: float) -> str:
    """Whole seconds, as ssh takes them; 0 would mean for ever."""
    return str(max(1, round(duration)))


def chosen(target: Target, env: dict[str, str] | None = None) -> dict[str, str]:
    """What ssh would use for this machine (`ssh -G`): key -> value, and its own list as `default ciphers`."""
    settings = _lines([target.argv[0], "-G", *target.argv[1:]], env)
    settings["default ciphers"] = _lines([target.argv[0], "-F", "none", "-G", "localhost"], env).get("ciphers", "")
    return settings


def _lines(argv: list[str], env: dict[str, str] | None) -> dict[str, str]:
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - its errors come again, louder, from the login
        try:
            child = spawn.start(argv, env=env, stderr=nowhere.fileno())
        except FileNotFoundError:
            raise no_ssh() from None
    child.close_stdin()
    with os.fdopen(child.stdout, "r", encoding="utf-8", errors="replace") as answer:
        pairs = [line.rstrip("\n").partition(" ") for line in answer]
    child.wait()
    settings: dict[str, str] = {}
    for key, _, value in pairs:
        settings.setdefault(key, value)
    return settings


def _log_in(argv: list[str], env: dict[str, str], questions: Questions, request: Request) -> tuple[int, str]:
    """Run ssh until it went to the background (0) or gave up; its status and what it said."""
    reader, writer = os.pipe()
    try:
        child = spawn.start(argv, env=env, stderr=writer)
    except FileNotFoundError:
        raise no_ssh() from None
    finally:
        os.close(writer)
    os.close(child.stdout)
    child.close_stdin()
    try:
        said = _listen(child, reader, questions, request)
    except BaseException:
        _kill(child)
        raise
    finally:
        os.close(reader)
    return child.wait(), said


def _listen(child: spawn.Child, reader: int, questions: Questions, request: Request) -> str:
    began = time.monotonic()
    said = b""
    messages = select.poll()
    messages.register(reader, select.POLLIN)
    while True:
        if messages.poll(30):
            chunk = os.read(reader, 65536)
            said += chunk
            if not chunk:
                return said.decode(errors="replace")
        elif child.poll() is not None:
            return said.decode(errors="replace")
        questions.serve()
        request.check()
        if time.monotonic() - began - questions.asked > LOGIN_LIMIT:
            raise Unreachable(f"the login did not end within {LOGIN_LIMIT:g} seconds", code="no_answer")


def _kill(child: spawn.Child) -> None:
    """End ssh and what it started (jump hosts, proxies): they share its session."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGTERM)
        child.wait()


def patient(request: Request, target: Target, within: float, attempt: Callable[[], None]) -> None:
    """Run `attempt` until it succeeds, fails for good, or `within` seconds are over; says so once."""
    told: list[str] = []

    def tell(error: BaseException, left: float) -> None:
        told.append(str(error))
        request.emit("log", message=f"{error}; trying again for {format_duration(left)}")

    persist(request, within, attempt, transient, tell)
    if told:
        request.emit("log", message=f"connected to {target.label} again")
