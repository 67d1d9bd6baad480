"""Checks whether the sshd behind a tunnel answers. It reads the first line that sshd sends, and does not log in."""

import contextlib
import os
import re
import select
import shutil
import socket
import subprocess

import msgspec

from trainsh_base.errors import MissingProgram
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.remote.ssh_config import effective, first
from trainsh_base.remote.target import Target
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.printable import printable

BANNER = b"SSH-"
NAME = re.compile(r"[A-Za-z0-9:][A-Za-z0-9.:_-]*")
INSTALL = "https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads/"
WORDS_OF_NO_NETWORK = ("no such host", "temporary failure", "network is unreachable", "server misbehaving")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a check. `alive` is true if an sshd answers. Otherwise `why` is the reason.

    `offline` is true if this machine has no network. Then it is not known whether an sshd answers.
    """

    alive: bool
    offline: bool = False
    why: str = ""


def need_program(target: Target) -> None:
    """Raise MissingProgram if the tunnel to `target` needs a program that is not installed here."""
    command = _proxy(target)
    program = command.split()[0] if command else ""
    if program == "cloudflared" and shutil.which(program) is None:
        raise MissingProgram(
            "cloudflared is not installed, but this runtime is reached through it", f"install it: {INSTALL}",
            data={"program": program},
        )  # fmt: skip


def ask(target: Target, patience: float) -> Answer:
    """Check once whether the sshd answers. A live shared ssh connection counts as an answer."""
    if target.control_path and master_pid(target.control_path) is not None:
        return Answer(alive=True)
    settings = effective(target.argv, target.environment())
    host, port = first(settings, "hostname"), int(first(settings, "port", "22"))
    if not NAME.fullmatch(host):  # below, the name becomes part of a line for the shell
        return Answer(alive=False, why=f"not the name of a host: {host!r}")
    command = _proxy(target)
    answer = _through(command, host, port, target, patience) if command else _direct(host, port, patience)
    if not answer.alive and any(word in answer.why.lower() for word in WORDS_OF_NO_NETWORK) and not _online(host):
        return Answer(alive=False, offline=True, why=answer.why)
    return answer


def _proxy(target: Target) -> str:
    command = first(effective(target.argv, target.environment()), "proxycommand")
    return "" if command == "none" else command


def _through(command: str, host: str, port: int, target: Target, patience: float) -> Answer:
    """Check through the ProxyCommand `command`. It may come from the user's own ssh settings."""
    words = command.replace("%%", "\0").replace("%h", host).replace("%p", str(port)).replace("\0", "%")
    child = subprocess.Popen(
        ["sh", "-c", f"exec {words}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=target.environment(), start_new_session=True,
    )  # fmt: skip
    try:
        return _heard(child, patience)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, 9)
        child.communicate()


def _heard(child: "subprocess.Popen[bytes]", patience: float) -> Answer:
    assert child.stdout is not None and child.stderr is not None
    deadline, said, heard = Deadline.after(patience), b"", b""
    ready = select.poll()
    ready.register(child.stdout, select.POLLIN)
    ready.register(child.stderr, select.POLLIN)
    streams = 2
    while streams and not deadline.expired:
        for handle, _ in ready.poll(deadline.within(patience) * 1000):
            data = os.read(handle, 4096)
            if not data:
                ready.unregister(handle)
                streams -= 1
            elif handle == child.stdout.fileno():
                heard += data
                if BANNER in heard:
                    return Answer(alive=True)
            else:
                said = (said + data)[-4096:]
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    return Answer(alive=False, why=printable(lines[-1], keep="") if lines else "it says nothing")


def _direct(host: str, port: int, patience: float) -> Answer:
    try:
        with socket.create_connection((host, port), patience) as probe:
            probe.settimeout(patience)
            alive = BANNER in probe.recv(255)
            return Answer(alive=alive, why="" if alive else "the answer is not from an ssh server")
    except TimeoutError:
        return Answer(alive=False, why="it does not answer")
    except OSError as error:
        return Answer(alive=False, why=(error.strerror or str(error)).lower())


def _online(host: str) -> bool:
    """Whether this machine can resolve names. The end of `host`, the domain of the tunnel's service, is tried."""
    with contextlib.suppress(OSError, UnicodeError):
        return bool(socket.getaddrinfo(".".join(host.split(".")[-2:]), 443))
    return False
