"""Opening a session: its folder, its tmux session, its shell, until that shell waits for steps."""

import os
import queue
import time

from trainsh_base.errors import MissingProgram, TrainError
from trainsh_base.request import current
from trainsh_tmux.log.output import Output
from trainsh_tmux.log.sentinels import Piece
from trainsh_tmux.model import Session
from trainsh_tmux.remote import session_scripts
from trainsh_tmux.remote.host import Host, disk_full
from trainsh_tmux.session.live import LOST, Inbox, Live
from trainsh_tmux.session.reclaim import take_back

LOGIN_LIMIT = 20.0  # seconds that the login files may take
# Seconds after which they may be waiting for an answer on the terminal: they get Enter, again and again.
ASKS_AFTER, ASKS_EVERY = 3.0, 1.0


class NotReady(TrainError):
    """The session's shell did not come to wait for steps."""

    default_code = "shell_not_ready"


def open_session(live: Live, start: str, *, bootstrap: bool = False) -> Session:
    """Open it, or find it open. `bootstrap`: install tmux there when it is missing, as hosts.toml may say too.

    Raises MissingProgram (no tmux there), RemoteError, NotReady.
    """
    bootstrap = bootstrap or live.host.target.bootstrap
    try:
        return _open(live, start, bootstrap, plain=False)
    except NotReady as error:
        live.host.ask(session_scripts.close_session(live.job, live.name))
        note = f"{error.message}; opened without the login files"
        current().emit("log", message=note)
        session = _open(live, start, bootstrap, plain=True)
        return Session(
            name=session.name, host=session.host, job=session.job, folder=session.folder, offset=session.offset,
            fresh=True, notes=[note],
        )  # fmt: skip


def _open(live: Live, start: str, bootstrap: bool, *, plain: bool) -> Session:
    body = session_scripts.open_session(
        live.job, live.name, start, plain=plain, log_limit=session_scripts.log_limit()
    )
    answer = live.host.ask(body)
    if answer == ["lib"]:
        live.host.install()
        answer = live.host.ask(body)
    if answer and answer[0] == "no-tmux":
        _without_tmux(live.host, answer[1:], bootstrap)
        answer = live.host.ask(body)
    word, *rest = (answer or ["failed nothing"])[0].split(" ", 3)
    if word == "fresh":
        live.opened(int(rest[0]))
        _await_ready(live, int(rest[0]))
        return _session(live, " ".join(rest[1:]), int(rest[0]), fresh=True)
    if word == "open":
        live.opened(int(rest[0]))
        # The state may have a blank in it ("ended 1"), the folder comes last.
        notes = take_back(live) if rest[1] == "released" else []
        return _session(live, rest[2], int(rest[0]), fresh=bool(notes), notes=notes)
    raise _refused(live, word, " ".join(rest))


def _session(live: Live, folder: str, offset: int, *, fresh: bool, notes: list[str] | None = None) -> Session:
    for note in notes or []:
        current().emit("log", message=note)
    return Session(
        name=live.name, host=live.host.spec, job=live.job, folder=folder, offset=offset, fresh=fresh,
        notes=notes or [],
    )  # fmt: skip


def _refused(live: Live, word: str, why: str) -> TrainError:
    if word == "full":
        return disk_full(live.host)
    return TrainError(f"tmux on {live.host.name} could not open session {live.name}: {why}", code="tmux_failed")


def _without_tmux(host: Host, install: list[str], bootstrap: bool) -> None:
    command = install[0].partition(" ")[2] + " tmux" if install else ""
    if not bootstrap or not command:
        where = "" if host.spec == "local" else f"train host run {host.spec} -- "
        raise MissingProgram(
            f"there is no tmux on {host.name}",
            f"install it there: {where}{command or 'with its package manager'}"
            + ("\nor have it done: --bootstrap" if command else ""),
            code="no_tmux", data={"host": host.spec, "install": command},
        )  # fmt: skip
    current().emit("log", message=f"installing tmux on {host.name}: {command}")
    refresh = "apt-get update && " if command.startswith("apt-get") else ""
    done = host.ask(f'if x=$({refresh}{command} 2>&1); then say ok; else say "${{x##*\n}}"; fi', limit=600)
    if done[:1] != ["ok"]:
        raise MissingProgram(f"{command} failed on {host.name}: {' '.join(done)}", code="no_tmux")


def _await_ready(live: Live, offset: int) -> None:
    """Until the shell's mark is in the log; what the login files print is kept for the message."""
    inbox = Inbox()
    kept = live.listen_from(offset, inbox) or []
    said = Output([], lambda _: None)
    deadline = time.monotonic() + LOGIN_LIMIT
    asks = time.monotonic() + ASKS_AFTER
    try:
        for piece in kept:
            if piece.letter == "r":
                return
        while True:
            try:
                item = inbox.get(timeout=max(0.0, min(deadline, asks) - time.monotonic()))
            except queue.Empty:
                if time.monotonic() >= deadline:
                    raise
                asks = time.monotonic() + ASKS_EVERY
                live.host.ask(session_scripts.press_enter(live.job, live.name))
                continue
            if isinstance(item, Piece):
                if item.letter == "r":
                    return
                if item.letter == "x":
                    raise NotReady(f"the login files of {live.host.name} ended the shell{_tail(said)}")
                said.feed(item.offset, item.data)
            elif item is LOST:
                live.connect(LOGIN_LIMIT)
    except queue.Empty:
        raise NotReady(
            f"the login files of {live.host.name} did not finish within {LOGIN_LIMIT:g} seconds{_tail(said)}"
        ) from None
    finally:
        live.leave(inbox)


def _tail(said: Output) -> str:
    lines = said.tail()
    return f" (last words: {lines[-1]!r})" if lines else ""


def start_folder(host: Host, cwd: str | None) -> str:
    """Where a session's shell starts: locally in the caller's folder, elsewhere in the home."""
    if cwd is not None:
        return cwd
    return os.getcwd() if host.target.kind == "local" else ""  # noqa: PTH109
