"""Output that is large or strange: all of it arrives, with little memory, and what a host drops is reported."""

import contextlib
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trainsh_world import World

from far_box import Far, cut
from tmux_box import Box, wait_until
from trainsh_base.system.printable import printable
from trainsh_tmux.log.lines import Lines

MEMORY = 50  # MB
LINE = "line %07d the quick brown fox jumps over the lazy dog\n"


def write_lines(path: Path, size: int) -> None:
    """Write at least `size` bytes of numbered lines."""
    path.write_text("".join(LINE % number for number in range(size // len(LINE % 0) + 1)))


def write_bar(path: Path, size: int) -> None:
    """Write a progress bar of `size` steps."""
    path.write_text("".join(f"\r{number:6}/{size} \x1b[32m#####\x1b[0m" for number in range(size)) + "\n")


MADE = {
    "lines": lambda path: write_lines(path, 60_000_000),
    "one line": lambda path: path.write_bytes(b"x" * 10_000_000 + b"\n"),
    "binary": lambda path: path.write_bytes(os.urandom(20_000_000)),
    "progress bar": lambda path: write_bar(path, 100_000),
}


def printed(path: Path) -> str:
    """The hash of the text that a terminal shows for a file."""
    return digest(path.read_bytes().replace(b"\n", b"\r\n").decode("utf-8", "replace"))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


class Server:
    """A `train-tmux serve`, and the messages that it sends."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(["train-tmux", "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def request(self, method: str, **params: Any) -> tuple[dict[str, Any], str, list[str]]:
        """(the result, the hash of the output, the log lines)."""
        text, log = hashlib.sha256(), []
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        assert self._child.stdin and self._child.stdout
        self._child.stdin.write(json.dumps(message).encode() + b"\n")
        self._child.stdin.flush()
        for line in self._child.stdout:
            answer = json.loads(line)
            if "id" in answer:
                return answer["result"], text.hexdigest(), log
            event = answer["params"]
            if event["kind"] == "output":
                text.update(event["data"].encode("utf-8", "replace"))
            elif event["kind"] == "log":
                log.append(event["message"])
        raise AssertionError("it ended")

    @property
    def memory(self) -> float:
        """The most memory that it has used, in MB."""
        status = Path(f"/proc/{self._child.pid}/status")
        if not status.exists():
            pytest.skip("MEMORY IS NOT MEASURED HERE: there is no /proc")
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found
        return int(found[1]) / 1024

    def close(self) -> None:
        assert self._child.stdin and self._child.stdout
        self._child.stdin.close()
        self._child.stdout.close()
        self._child.wait(60)


@pytest.fixture
def server(box: Box) -> Iterator[Server]:
    made = Server()
    with contextlib.closing(made):
        yield made
        made.request("close", session="w")


@pytest.mark.parametrize("kind", MADE)
def test_all_of_it_in_little_memory(box: Box, server: Server, kind: str) -> None:
    path = box.folder / "printed"
    MADE[kind](path)
    server.request("open", host="local", name="w")
    outcome, text, log = server.request("run", session="w", command=f"cat {path}")
    assert outcome["state"] == "ok" and log == []
    assert text == printed(path)
    assert server.memory < MEMORY
    again, text, _ = server.request("run", session="w", command="echo here")
    assert again["state"] == "ok" and text == digest("here\r\n")


def test_a_reader_who_keeps_up_loses_nothing_of_what_the_host_drops(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINSH_TMUX_LOG_LIMIT", str(1 << 20))
    path = box.folder / "printed"
    write_lines(path, 4_000_000)
    box.open()
    # The data comes in portions, each after the reader has the one before, so that the reader is never late.
    part = "until [ -e seen.$x ]; do sleep 0.01; done"
    running = box.start(
        f"split -b 100000 -d -a 3 {path} part.; for x in part.*; do cat $x; {part}; done; rm part.*"
    )
    for number in range(-(-path.stat().st_size // 100_000)):
        size = min((number + 1) * 100_000, path.stat().st_size)
        wait_until(lambda size=size: len(running.client.text) >= size, "a portion")
        (box.home / f"seen.part.{number:03}").touch()
    assert running.result().state == "ok" and running.client.log == []
    assert running.client.text == path.read_text()

    def kept() -> int:
        return sum(file.stat().st_size for file in box.session().glob("log.*"))

    wait_until(lambda: kept() < 1.3 * (1 << 20), "the old segments to go")


def test_a_reader_who_comes_late_gets_the_head_and_the_newest_and_is_told_of_the_rest(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINSH_TMUX_LOG_LIMIT", str(1 << 20))
    path = box.folder / "printed"
    write_lines(path, 4_000_000)
    box.open()
    box.start(f"cat {path}", step="big").result()
    box.forget()
    outcome = box.run("", step="big")
    assert outcome.state == "ok" and outcome.resumed
    whole = path.read_bytes().replace(b"\n", b"\r\n").decode()
    got = "".join(data["data"] for kind, data in box.client.events if kind == "output")
    head, told, *tail = re.split(r"\r\ntrain: (\d+) bytes of output are missing here \(tmux.log_limit\)\r\n", got)
    assert len(tail) == 1 and len(head) > 500_000  # half of it, without the sentinels
    assert whole.startswith(head) and tail[0] and whole.endswith(tail[0])
    assert len(head) + int(told) + len(tail[0]) == len(whole)
    line = LINE % (len(path.read_text()) // len(LINE % 0) - 1)
    assert box.wait(pattern=re.escape(line.strip()), since=outcome.offset).line == line.strip()


@pytest.mark.parametrize("how", ["sshd", "clients"])
def test_a_cut_in_the_middle_leaves_no_gap_and_repeats_nothing(world: World, how: str) -> None:
    far = Far(world, world.sshd("box"))
    path = world.folder / "printed"
    write_lines(path, 20_000_000)
    far.open()
    half = 10_000_000
    running = far.start(f"head -c {half} {path}; until [ -e go ]; do sleep 0.02; done; tail -c +{half + 1} {path}")
    for part in (1_000_000, 9_000_000):
        wait_until(lambda part=part: len(running.client.text) > part, "its output")
        cut(far, how)
    (far.home / "go").touch()
    assert running.result().state == "ok"
    assert digest(running.client.text) == digest(path.read_text())


def test_plain_text_of_hostile_bytes_takes_no_longer_than_of_others() -> None:
    for hostile in (b"\x1b" * 200_000, b"\x1b[" * 100_000, b"\x1b]" * 100_000, b"\x1bP" + b"x" * 200_000):
        printable(hostile.decode())
    lines = Lines()
    for _ in range(160):
        assert len(lines.feed(b"x" * 65_536)[-1]) <= Lines.LIMIT
