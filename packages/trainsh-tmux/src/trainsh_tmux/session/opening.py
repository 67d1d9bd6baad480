"""Opens a session: creates its folder, tmux session and shell, and waits until the shell is ready for steps."""

import os
import queue
import time

import msgspec

from trainsh_base.errors import MissingProgram, TrainError
from trainsh_base.request import current
from trainsh_base.system.deadline import Deadline
from trainsh_tmux.log.output import Output
from trainsh_tmux.log.sentinels import Piece
from trainsh_tmux.model import Session
from trainsh_tmux.names import variable
from trainsh_tmux.remote import session_scripts
from trainsh_tmux.remote.host import Host, disk_full
from trainsh_tmux.remote.reply import fields, natural, said
from trainsh_tmux.session.errors import as_word
from trainsh_tmux.session.live import LOST, Live
from trainsh_tmux.session.log_reader import LogReader
from trainsh_tmux.session.reclaim import reclaim

INSTALL_LIMIT = 600.0  # seconds that the host's package manager may take
# Seconds after which train assumes that a login file waits for input. From then on, train sends Enter repeatedly.
ASKS_AFTER, ASKS_EVERY = 3.0, 1.0
LOOK_EVERY = 0.2  # seconds after which it is looked whether the request was cancelled


class NotReady(TrainError):
    """The session's shell did not become ready for steps."""

    default_code = "shell_not_ready"


# The commands that session_installers (session.sh) may reply.
INSTALLERS = (
    "apt-get install -y", "apk add", "dnf install -y", "yum install -y", "pacman -S --noconfirm", "brew install",
)  # fmt: skip


def login_limit() -> float:
    """Return the seconds that the login files may take (`tmux.login_limit`)."""
    from trainsh_base.system.configuration.config import config_value  # noqa: PLC0415 - only a new session needs it

    return float(config_value("tmux.login_limit"))


def open_session(
    live: Live, start: str, *, bootstrap: bool = False, restore: bool = False, without: tuple[str, ...] = ()
) -> Session:
    """Ensure that the session is open.

    With `bootstrap`, tmux is installed on the host if it is missing (hosts.toml can request this too). With
    `restore`, a new shell gets the state of the previous one. `without` names variables that a new shell must not
    inherit. Raises MissingProgram if the host has no tmux, RemoteError, NotReady.
    """
    bootstrap = bootstrap or live.host.target.bootstrap
    try:
        return _open(live, start, bootstrap, restore, without, plain=False)
    except NotReady as error:
        live.host.ask(session_scripts.close_session(live.job, live.name))
        note = f"{error.message}; opened without the login files"
        current().emit("log", message=note)
        session = _open(live, start, bootstrap, restore, without, plain=True)
        return msgspec.structs.replace(session, fresh=True, notes=[note, *session.notes])


def _open(
    live: Live, start: str, bootstrap: bool, restore: bool, without: tuple[str, ...], *, plain: bool
) -> Session:
    host = live.host
    body = session_scripts.open_session(
        live.job,
        live.name,
        start,
        plain=plain,
        log_limit=session_scripts.log_limit(),
        restore=restore,
        without=tuple(map(variable, without)),
    )
    answer = host.ask(body)
    if answer[:1] == ["lib"]:
        host.install()
        answer = host.ask(body)
    if answer and answer[0] == "no-tmux":
        _without_tmux(host, answer[1:], bootstrap)
        answer = host.ask(body)
    line = answer[0] if answer else "failed nothing"
    kind, _, rest = line.partition(" ")
    if kind not in ("fresh", "open"):
        raise _refused(live, kind, rest)
    offset = natural(rest.partition(" ")[0], host.name, line)
    live.opened(offset)
    if kind == "fresh":
        if not _await_ready(live, offset):
            answer = [line for line in answer if not line.startswith("restored ")]
        return _session(live, fields(host.name, rest, 2)[1], offset, answer, fresh=True, notes=_moved(live, answer))
    # FOLDER is the last field of the line, since a path may contain blanks.
    state, folder = fields(host.name, rest, 3)[1:]
    notes, another = reclaim(live) if state == "released" else ([], [])
    return _session(live, folder, offset, another or answer, fresh=bool(notes), notes=notes)


def _session(live: Live, folder: str, offset: int, answer: list[str], *, fresh: bool, notes: list[str]) -> Session:
    for note in notes:
        current().emit("log", message=note)
    restored = said(answer, "restored") == "yes"
    return Session(
        name=live.name, host=live.host.spec, job=live.job, folder=folder, offset=offset, fresh=fresh, notes=notes,
        machine=live.host.machine or None, node=live.host.node or None, session=said(answer, "session") or None,
        restored=restored, left_out=said(answer, "left-out").split() if restored else [],
        covers=said(answer, "covers") if restored else None,
    )  # fmt: skip


def _moved(live: Live, answer: list[str]) -> list[str]:
    """Return a note for people if the session of this name also exists on another machine with the same home
    folder.
    """
    there = said(answer, "elsewhere")
    if not there:
        return []
    here = live.host.node or live.host.name
    return [
        f"session {live.name} of this job runs on {there}; this host is {here}, where a second session was opened"
    ]


def _refused(live: Live, word: str, why: str) -> TrainError:
    if word == "no-processes":
        return MissingProgram(
            f"there is neither ps nor /proc on {live.host.name}: train could not tell whether a step still runs",
            "install the package procps or busybox there", code="no_ps", data={"host": live.host.spec},
        )  # fmt: skip
    if word == "no-programs":
        return MissingProgram(
            f"{live.host.name} lacks programs that every session needs: {why}",
            "install the package coreutils (and grep, sed) or busybox there", code="no_programs",
            data={"host": live.host.spec, "missing": why.split()},
        )  # fmt: skip
    if word == "full":
        return disk_full(live.host)
    return TrainError(f"tmux on {live.host.name} could not open session {live.name}: {why}", code="tmux_failed")


def _without_tmux(host: Host, install: list[str], bootstrap: bool) -> None:
    command = install[0].removeprefix("install ") + " tmux" if install else ""
    if command.removesuffix(" tmux") not in INSTALLERS:  # a text from a host must not become part of a command
        command = ""
    if not bootstrap or not command:
        where = "" if host.spec == "local" else f"train host run {as_word(host.spec)} -- "
        raise MissingProgram(
            f"there is no tmux on {host.name}",
            f"install it there: {where}{command or 'with its package manager'}"
            + ("\nor to have it installed: --bootstrap" if command else ""),
            code="no_tmux", data={"host": host.spec, "install": command},
        )  # fmt: skip
    current().emit("log", message=f"installing tmux on {host.name}: {command}")
    done = host.ask(session_scripts.install_tmux(command.removesuffix(" tmux")), limit=INSTALL_LIMIT)
    if done[:1] != ["ok"]:
        raise MissingProgram(f"{command} failed on {host.name}: {' '.join(done)}", code="no_tmux")


def _await_ready(live: Live, offset: int) -> bool:
    """Wait until the log shows that the shell is ready.

    Returns False if the shell could not read its whole snapshot. The output of the login files is kept for the
    error message. Raises NotReady, Cancelled.
    """
    output = Output([], lambda _: None)
    limit = login_limit()
    deadline = Deadline.after(limit)
    asks = time.monotonic() + ASKS_AFTER
    reader = LogReader(live)
    try:
        reader.follow_from(offset, deadline)
        while True:
            current().check()
            try:
                item = reader.next(deadline.within(min(LOOK_EVERY, max(0.0, asks - time.monotonic()))))
            except queue.Empty:
                if deadline.expired:
                    raise NotReady(
                        f"the login files of {live.host.name} did not finish within {limit:g} seconds"
                        f"{_last_line(output)}"
                    ) from None
                if time.monotonic() >= asks:
                    asks = time.monotonic() + ASKS_EVERY
                    live.host.ask(session_scripts.press_enter(live.job, live.name))
                continue
            if item is LOST:
                reader.follow_from(offset, deadline)
            elif isinstance(item, Piece):
                offset = item.end
                if item.letter == "r":
                    return not any(item.fields[1:])
                if item.letter == "x":
                    raise NotReady(f"the login files of {live.host.name} ended the shell{_last_line(output)}")
                output.feed(item.offset, item.data)
    finally:
        reader.close()


def _last_line(output: Output) -> str:
    lines = output.tail()
    return f" (its last line: {lines[-1]!r})" if lines else ""


def start_folder(host: Host, cwd: str | None) -> str:
    """Return the folder in which a session's shell starts.

    This is `cwd` if it is given. Without `cwd`, it is the current folder for this machine, and "" (the home folder)
    for other machines.
    """
    if cwd is not None:
        return cwd
    return os.getcwd() if host.target.kind == "local" else ""  # noqa: PTH109
