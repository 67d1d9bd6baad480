"""Calls Google's program `colab`, which makes and ends sessions.

Its source is at github.com/googlecolab/google-colab-cli; docs/06_ssh_access.md there is about ssh. The program
allows only one ssh connection at a time. If a session does not exist, `colab ssh -s NAME` creates it, and it costs
money. Therefore ssh is started through `train-colab proxy`, which first checks that the session exists.
"""

import re
import shutil
import subprocess
from pathlib import Path

import msgspec

from trainsh_base.errors import MissingProgram, NotFound, RemoteError, TimedOut, TrainError
from trainsh_base.system.printable import printable
from trainsh_base.system.proc import Completed, run

LOOK_LIMIT, CHANGE_LIMIT = 15.0, 120.0
CREATE_LIMIT = 600.0
INSTALL = "uv tool install google-colab-cli"
# A line such as `[name] endpoint | Hardware: T4 | Variant: GPU`. If a session was made on another machine, its name
# is `?`.
_LINE = re.compile(r"\[(\S+)\] (\S+) \| Hardware: ([^|]+?) \| Variant: ([^|]+?)(?: \| .*)?")


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session of Google's program. `endpoint` identifies the runtime: each new runtime has another endpoint."""

    name: str
    endpoint: str
    hardware: str


def path() -> str | None:
    """Return the program's path, or None if the program is not installed."""
    return shutil.which("colab")


def need() -> str:
    """Return the program's path. Raises MissingProgram when it is not installed."""
    found = path()
    if found is None:
        raise MissingProgram(
            "Google's program colab is not installed", f"install it: {INSTALL}", data={"program": "colab"}
        )
    return found


def was_used() -> bool:
    """Whether the program is installed and was used before.

    A program that was never used might open a browser for a login.
    """
    return path() is not None and (Path.home() / ".config" / "colab-cli" / "sessions.json").exists()


def sessions() -> list[Session]:
    """Return the sessions that were made on this machine and still exist on the server."""
    done = _run("sessions", limit=LOOK_LIMIT)
    found = [match for line in done.text().splitlines() if (match := _LINE.fullmatch(line.strip()))]
    return [
        Session(name=match[1], endpoint=match[2], hardware=match[3]) for match in found if match[1] != "?"
    ]  # fmt: skip


def find(name: str) -> Session:
    """Return the session called `name`. Raises NotFound when there is none."""
    found = next((session for session in sessions() if session.name == name), None)
    if found is None:
        raise NotFound(
            f"Google's program has no session {name!r}", "see: train colab list", code="no_instance",
            data={"gone": True},
        )  # fmt: skip
    return found


def create(name: str, gpu: str | None, tpu: str | None, lock: int) -> None:
    """Create a session. It costs compute units from then on.

    The program inherits the open file `lock`, and with it the lock on this file. So if this process is killed, the
    next process that takes the lock waits until the program has ended.
    """
    words = [need(), "new", "-s", name, *(["--gpu", gpu] if gpu else []), *(["--tpu", tpu] if tpu else [])]
    child = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=(lock,),
        start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = child.communicate(timeout=CREATE_LIMIT)
    except subprocess.TimeoutExpired:
        raise TimedOut(f"colab new did not end within {CREATE_LIMIT:g} seconds", "see: colab sessions") from None
    if child.returncode != 0:
        raise _refused("new", said)


def stop(name: str) -> None:
    """End a session and give its runtime back."""
    _run("stop", "-s", name, limit=CHANGE_LIMIT)


def ssh_words(name: str) -> list[str]:
    """Return the argv of the program that carries ssh's bytes to a session."""
    return [need(), "ssh", "--proxy-mode", "-s", name]


def _run(*words: str, limit: float) -> Completed:
    done = run([need(), *words], check=False, timeout=limit)
    if done.status != 0:
        raise _refused(words[0], done.stderr or done.stdout)
    return done


def _refused(verb: str, said: bytes) -> TrainError:
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    last = printable(lines[-1], keep="").removeprefix("[colab] ") if lines else "it printed nothing"
    return RemoteError(f"colab {verb}: {last}", f"try it by hand: colab {verb}", code="colab_failed")
