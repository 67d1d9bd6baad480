"""A host's channel that answers with garbage: every request ends, with one kind of error."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainsh_base.errors import TimedOut, TrainError
from trainsh_base.remote.channel import Channel, ChannelLost
from trainsh_base.remote.line_reader import MOST_LINE
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system.bad_answer import BadAnswer

# Greets as a shell does, reads one request, and prints the file. With `hold`, the pipe stays open after that.
SHELL = """#!/bin/bash
IFS= read -r greeting
printf '\\n%s\\n' "${greeting##* }"
IFS= read -r request
cat "$GARBAGE"
[ -z "$HOLD" ] || exec sleep 60
"""


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").write_text(SHELL)
    (tmp_path / "bin" / "sh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("GARBAGE", str(tmp_path / "garbage"))
    monkeypatch.setenv("HOLD", "1")
    yield tmp_path / "garbage"


def answer_to(garbage: bytes, path: Path) -> list[str]:
    path.write_bytes(garbage)
    channel = Channel(Target.local(), Request())
    try:
        ask = channel.ask("say it")
        channel.ask("say it")
        return ask.wait(60)
    finally:
        channel.close()


@pytest.mark.parametrize(
    "garbage",
    [b"E 1 x\n", b"E 1 \n", b"E 1\n", b"E 1 12345\n", "E 1 ²\n".encode(), b"R 1 " + b"x" * (MOST_LINE + 70000)],
    ids=["word", "blank", "nothing", "too long", "not ASCII", "line without end"],
)
def test_a_malformed_answer_is_one_typed_error(garbage: bytes, hostile: Path) -> None:
    with pytest.raises(BadAnswer) as caught:
        answer_to(garbage, hostile)
    assert caught.value.code == "bad_answer" and caught.value.exit_status == 7


@pytest.mark.parametrize(
    "noise",
    ["² ² ²", "R ² x", f"R {'9' * 5000} x", "E", "", "R 77 x", "\udcff"],
    ids=["squares", "square", "big number", "no number", "empty", "nobody's", "not UTF-8"],
)
def test_other_lines_are_dropped(noise: str, hostile: Path) -> None:
    garbage = noise.encode(errors="surrogateescape") + b"\nR 1 it\nE 1 0\n"
    assert answer_to(garbage, hostile) == ["it"]


LINE = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda kind, number, rest: kind + b" " + number + b" " + rest, st.sampled_from([b"R", b"E"]),
              st.sampled_from([b"1", b"2", b"3", b"-1", b"999999999999999999999", b""]), st.binary(max_size=20)),
)  # fmt: skip


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(LINE, max_size=8))
def test_whatever_it_prints_every_request_is_settled(hostile: Path, lines: list[bytes]) -> None:
    os.environ["HOLD"] = ""
    try:
        answer_to(b"\n".join(lines), hostile)
    except TrainError as error:
        assert isinstance(error, BadAnswer | ChannelLost) and not isinstance(error, TimedOut)


def test_a_callback_that_fails_is_its_own_request_s_error(hostile: Path) -> None:
    hostile.write_bytes(b"R 1 it\nR 2 it\nE 2 0\n")
    channel = Channel(Target.local(), Request())

    def fail(_: str) -> None:
        raise KeyError("bug")

    broken, other = channel.ask("", on_line=fail), channel.ask("")
    with pytest.raises(KeyError):
        broken.wait(60)
    try:
        assert other.wait(60) == ["it"]
    finally:
        channel.close()
