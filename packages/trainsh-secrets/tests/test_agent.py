"""The agent that keeps the encrypted file's key: the passphrase is asked once, until `lock` or the time limit."""

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainsh_base.testing import Terminal
from trainsh_secrets import agent
from trainsh_secrets.agent_server import Agent
from trainsh_secrets.vault import key_place

PROGRAM = str(Path(sys.executable).with_name("train-secrets"))
PASSWORD = "a password"
DEADLINE = 60.0


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A private runtime folder with a short path, and the agent enabled; the agent is ended after the test."""
    folder = Path(tempfile.mkdtemp(prefix="ag", dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("TRAINSH_SECRETS_AGENT_TIME", "1h")
    yield folder / "train"
    agent.forget()
    until(lambda: processes(folder) == [], "the agent to end")
    shutil.rmtree(folder)


def until(holds: "object", what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.02)


def processes(folder: Path) -> list[str]:
    """The process ids of agents whose socket is in `folder`."""
    done = subprocess.run(["pgrep", "-f", f"agent_server {folder}"], capture_output=True, text=True, check=False)
    return done.stdout.split()


def ask(secret: str) -> Terminal:
    return Terminal([PROGRAM, "get", secret, "--reveal"])


@pytest.mark.usefixtures("file")
def test_the_passphrase_is_asked_once(runtime: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRAINSH_PASSPHRASE")
    first = ask("FIRST")
    first.expect("Passphrase of")
    first.type(f"{PASSWORD}\r")
    assert first.wait() == 0 and "1\r\n" in first.text
    again = ask("FIRST")
    assert again.wait() == 0 and "Passphrase" not in again.text and "1\r\n" in again.text
    piped = subprocess.run([PROGRAM, "get", "FIRST"], capture_output=True, check=True, stdin=subprocess.DEVNULL)
    assert piped.stdout == b"1\n"

    place = runtime / "secrets-agent"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600 and stat.S_IMODE(runtime.stat().st_mode) == 0o700
    key = agent.kept(key_place(file).read_bytes())
    assert key and key.startswith("AGE-SECRET-KEY-")
    [process] = processes(runtime.parent)
    for name in ("cmdline", "environ"):
        told = Path(f"/proc/{process}/{name}").read_bytes()
        assert key.encode() not in told and PASSWORD.encode() not in told
    for path in [*runtime.rglob("*"), *file.parent.rglob("*")]:
        if path.is_file():
            assert key.encode() not in path.read_bytes() and PASSWORD.encode() not in path.read_bytes()

    locked = subprocess.run([PROGRAM, "lock"], capture_output=True, text=True, check=True)
    assert locked.stdout == "locked: the passphrase will be asked for again\n"
    until(lambda: processes(runtime.parent) == [], "the agent to end")
    assert not place.exists()
    third = ask("FIRST")
    third.expect("Passphrase of")
    third.type("\x03")
    third.wait()
    nothing = subprocess.run([PROGRAM, "lock", "--json"], capture_output=True, text=True, check=True)
    assert nothing.stdout == '{"keys":0}\n'


def test_a_piped_value_asks_for_the_passphrase_on_the_terminal_and_once(runtime: Path, home: Path) -> None:
    for value, questions in (("one", ["No keyring was found", "New passphrase", "Repeat"]), ("two", [])):
        screen = Terminal(["sh", "-c", f"printf %s {value} | '{PROGRAM}' set A"])
        for question in questions:
            screen.expect(question)
            if not question.startswith("No"):
                screen.type("sesame\r")
        assert screen.wait() == 0 and "sesame" not in screen.text and "Passphrase of" not in screen.text
    screen = ask("A")
    assert screen.wait() == 0 and "two\r\n" in screen.text
    agent.forget()
    screen = Terminal(["sh", "-c", f"printf three | '{PROGRAM}' set A"])
    screen.expect("Passphrase of")
    screen.type("sesame\r")
    assert screen.wait() == 0


def test_a_slow_start_of_the_agent_loses_no_key(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow = tmp_path / "python"
    slow.write_text(f'#!/bin/sh\nsleep 3\nexec "{sys.executable}" "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    agent.keep(b"sealed", "key")
    assert agent.kept(b"sealed") == "key"


@pytest.mark.parametrize("limit", ["off", "1"])
def test_its_time(runtime: Path, file: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.delenv("TRAINSH_PASSPHRASE")
    monkeypatch.setenv("TRAINSH_SECRETS_AGENT_TIME", limit)
    screen = ask("FIRST")
    screen.expect("Passphrase of")
    screen.type(f"{PASSWORD}\r")
    assert screen.wait() == 0
    until(lambda: processes(runtime.parent) == [], "the agent to end by itself")
    again = ask("FIRST")
    again.expect("Passphrase of")
    again.type("\x03")
    again.wait()


def test_a_passphrase_from_the_environment_needs_no_agent(runtime: Path, file: Path) -> None:
    done = subprocess.run([PROGRAM, "get", "FIRST"], capture_output=True, check=True)
    assert done.stdout == b"1\n" and processes(runtime.parent) == []
    assert not (runtime / "secrets-agent").exists()


def test_what_is_held_and_for_how_long() -> None:
    keeper = Agent()
    assert keeper.answer({"get": "a"}, 0) == {"held": 0}
    assert keeper.answer({"put": "a", "key": "k", "seconds": 10}, 0) == {"held": 1}
    assert keeper.answer({"get": "a"}, 9)["key"] == "k"
    assert keeper.answer({"get": "a"}, 18)["key"] == "k"  # each use restarts the time
    assert keeper.left(18) == 10
    assert keeper.answer({"get": "other"}, 18) == {"held": 1}  # another key file has another passphrase
    assert keeper.answer({"get": "a"}, 28) == {"held": 0}
    for odd in ({"put": "a"}, {"put": 1, "key": 2, "seconds": 3}, {"put": "a", "key": "k", "seconds": "x"}, {}):
        assert keeper.answer(odd, 28) == {"held": 0}
    keeper.answer({"put": "a", "key": "k", "seconds": 10}, 30)
    assert keeper.answer({"lock": True}, 30) == {"held": 1} and keeper.over


def test_garbage_on_the_socket_changes_nothing(runtime: Path, file: Path) -> None:
    sealed = key_place(file).read_bytes()
    agent.keep(sealed, "k")
    for data in (b"garbage\n", b"[]\n", b"\xff\n", b""):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(agent.place()))
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(100) == b""
    assert agent.kept(sealed) == "k"
    agent.keep(sealed, "k2")  # a second one does not start a second agent
    assert agent.kept(sealed) == "k2" and len(processes(runtime.parent)) == 1
    assert (runtime / "secrets-agent").stat().st_uid == os.getuid()
