"""How a host sends a log: with every sh, and while old segments are removed."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tmux_box import wait_until
from trainsh_tmux.remote import scripts

SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "sh"]]
NEXT = b"\x1b]7770;ab12;n;%d\x07"


class Follower:
    """A shell that follows the log of the session `w` below `folder` from `offset` on."""

    def __init__(self, shell: list[str], folder: Path, offset: int, path: str = "") -> None:
        if shutil.which(shell[0]) is None:
            pytest.skip(f"NOT TESTED HERE: {shell[0]} is not installed")
        self._said = folder / "said"
        with self._said.open("wb") as said:
            self._child = subprocess.Popen(
                shell, stdin=subprocess.PIPE, stdout=said, stderr=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, "PATH": path + os.environ["PATH"]},
            )  # fmt: skip
        assert self._child.stdin
        self._child.stdin.write(scripts.follow(str(folder), "", "w", offset).encode())
        self._child.stdin.flush()

    def says(self, text: bytes) -> None:
        """Wait until it has printed this text. Fail if it prints another text."""
        wait_until(lambda: len(self._said.read_bytes()) >= len(text), f"{text[:80]!r} was said")
        assert self._said.read_bytes() == text

    @property
    def ended(self) -> bool:
        return self._child.poll() is not None

    def hang_up(self) -> None:
        """Close its input, as when its client ends. It must end, and so must the processes that it started."""
        assert self._child.stdin
        self._child.stdin.close()
        self._child.wait(60)
        wait_until(lambda: not _members(self._child.pid), "the end of all that it started")

    def kill(self) -> None:
        for pid in _members(self._child.pid):
            with contextlib.suppress(ProcessLookupError):  # it ended with another of them
                os.kill(pid, signal.SIGKILL)
        self._child.wait(60)


def _members(session: int) -> list[int]:
    """The living processes of a session (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, sid = (entry / "stat").read_text().rpartition(") ")[2].split()[:4]
        except OSError:
            continue
        if int(sid) == session and state not in "ZX":
            found.append(int(entry.name))
    return found


@pytest.fixture
def followers() -> Iterator[list[Follower]]:
    made: list[Follower] = []
    yield made
    for each in made:
        each.kill()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A session's folder: 100 bytes of log, then a segment that begins at 300, and the newest at 400."""
    folder = tmp_path / "sessions" / "train" / "w"
    folder.mkdir(parents=True)
    (folder / "key").write_text("ab12\n")
    (folder / "log.0").write_bytes(b"a" * 100 + NEXT % 100)
    (folder / "log.300").write_bytes(b"b" * 100 + NEXT % 400)
    (folder / "log.400").write_bytes(b"c" * 10)
    return folder


@pytest.mark.parametrize("shell", SHELLS, ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("offset", "said"),
    [
        (99, b"at 99 ab12\na" + NEXT % 100), (100, b"at 300 ab12\n" + b"b" * 100 + NEXT % 400),
        (250, b"at 300 ab12\n" + b"b" * 100 + NEXT % 400), (399, b"at 399 ab12\nb" + NEXT % 400), (400, b"at 400 ab12\n" + b"c" * 10),
    ],
)  # fmt: skip
def test_a_log_is_pushed_and_what_is_gone_passed_over(
    log: Path, tmp_path: Path, followers: list[Follower], shell: list[str], offset: int, said: bytes
) -> None:
    followers.append(Follower(shell, tmp_path, offset))
    followers[0].says(said)
    if offset == 400:
        with (log / "log.400").open("ab") as segment:
            segment.write(b"more")
        followers[0].says(said + b"more")
    assert not followers[0].ended
    followers[0].hang_up()


@pytest.mark.parametrize("shell", SHELLS[:2], ids=lambda words: words[0])  # busybox runs a `tail` of its own
@pytest.mark.parametrize("offset", [100, 350])
def test_a_segment_that_goes_before_it_is_opened_is_asked_for_anew(
    log: Path, tmp_path: Path, followers: list[Follower], shell: list[str], offset: int
) -> None:
    late = tmp_path / "bin"
    late.mkdir()
    tail = f'#!/bin/sh\ncase $* in *-f*) rm -f {log}/log.300 ;; esac\nexec {shutil.which("tail")} "$@"\n'
    (late / "tail").write_text(tail)
    (late / "tail").chmod(0o755)
    followers.append(Follower(shell, tmp_path, offset, f"{late}:"))
    start = max(offset, 300)
    followers[0].says(b"at %d ab12\n" % start + NEXT % start)
    wait_until(lambda: followers[0].ended, "its end")
    again = Follower(shell, tmp_path, start)
    followers.append(again)
    again.says(b"at 400 ab12\n" + b"c" * 10)
    again.hang_up()


def test_busybox_reads_on_in_a_segment_that_goes(log: Path, tmp_path: Path, followers: list[Follower]) -> None:
    busybox = shutil.which("busybox")
    if busybox is None or not Path("/bin/busybox").exists():
        pytest.skip("NOT TESTED HERE: busybox is not installed")
    applets = tmp_path / "bin"
    applets.mkdir()
    for name in ("tail", "cat", "sleep", "wc", "sed"):
        (applets / name).symlink_to(busybox)
    followers.append(Follower(["busybox", "sh"], tmp_path, 405, f"{applets}:"))
    followers[0].says(b"at 405 ab12\n" + b"c" * 5)
    with (log / "log.400").open("ab") as segment:
        (log / "log.400").unlink()
        segment.write(b"d" * 5 + NEXT % 415)
    followers[0].says(b"at 405 ab12\n" + b"c" * 5 + b"d" * 5 + NEXT % 415)
    followers[0].hang_up()
