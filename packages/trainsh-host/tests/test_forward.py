"""Tests train host forward with ports of real sshds, which are killed and come back."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trainsh_world import World, wait_until
from world_sshd import free_port

from trainsh_base.errors import UsageError
from trainsh_host.forward.ports import parse_ports


class Echo:
    """A server on the host, which is really this machine.

    It answers each connection with its name, and then with everything that is sent to it.
    """

    def __init__(self, name: str = "hello") -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.socket.getsockname()[1])
        self._name = name.encode()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.sendall(self._name)
            while data := connection.recv(65536):
                connection.sendall(data)


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.socket.close()


def reached(port: int) -> bytes:
    """What the server behind a port of this machine answers, or nothing when there is no answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.settimeout(5)
            connection.sendall(b" you")
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(4096), b""))
    except OSError:
        return b""


def listed(world: World, *words: str) -> list[dict[str, Any]]:
    return json.loads(world.run("train-host", "forward", "--list", *words, "--json").out)


@contextlib.contextmanager
def in_front(world: World, *words: str) -> Iterator["subprocess.Popen[str]"]:
    child = subprocess.Popen(
        ["train-host", "forward", *words], env=world.env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def test_a_forward_in_front_until_ctrl_c(world: World, echo: Echo) -> None:
    world.host(world.sshd("box"))
    here = free_port()
    with in_front(world, "box", f"{here}:{echo.port}") as child:
        wait_until(lambda: reached(here) == b"hello you", "the forward")
        assert child.stderr and f"127.0.0.1:{here} leads to port {echo.port} of box" in child.stderr.readline()
        row = listed(world)[0]
        assert (row["host"], row["state"], row["ports"][0]["local"]) == ("box", "open", here)
        assert listening_on(here) == ["127.0.0.1"]
        child.send_signal(signal.SIGINT)
        assert child.wait(60) == 130
    assert listed(world) == [] and reached(here) == b""


def listening_on(port: int) -> list[str]:
    """The addresses on which something listens on this port (IPv4, /proc)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    found = [row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port]
    return [".".join(str(byte) for byte in bytes.fromhex(text)[::-1]) for text in found]


def test_a_forward_in_the_background_survives_everything(world: World, echo: Echo) -> None:
    box = world.sshd("box")
    world.host(box)
    here, other = free_port(), free_port()
    done = world.run(
        "train-host", "forward", "box", f"{here}:{echo.port}", f"{other}:{echo.port}", "--detach", "--json"
    )
    assert json.loads(done.out)[0]["state"] == "open" and reached(here) == reached(other) == b"hello you"
    box.drop()  # the connections are killed
    wait_until(lambda: reached(here) == b"hello you" == reached(other), "the forward after a cut")
    box.stop()
    box.drop()  # the machine is gone for a while
    wait_until(lambda: listed(world)[0]["state"] == "lost", "that it is lost")
    wait_until(lambda: listed(world)[0].get("problem"), "its problem")
    assert reached(here) == b""
    box.start()
    wait_until(lambda: reached(here) == b"hello you", "the forward after the machine is back")
    world.run("train-host", "disconnect", "box")
    wait_until(lambda: reached(here) == b"hello you", "the forward after disconnect")
    said = world.run("train-host", "forward", "--list").out
    assert f"127.0.0.1:{here}" in said and "in the background" in said
    again = world.run("train-host", "forward", "box", f"{here}:{echo.port}", check=False)
    assert again.status == 5 and "is already forwarded to box" in again.err and "--stop" in again.err
    world.run("train-host", "forward", "box", str(other), "--stop")
    assert listed(world) == [] and reached(here) == reached(other) == b""
    assert world.run("train-host", "forward", "box", "--stop", check=False).status == 3
    assert world.run("train-host", "forward", "--stop", check=False).status == 2
    assert world.run("train-host", "forward", "--stop", "--all", "--json").out.strip() == "[]"


def test_a_killed_forward_leaves_nothing(world: World, echo: Echo) -> None:
    world.host(world.sshd("box"))
    here = free_port()
    world.run("train-host", "forward", "box", f"{here}:{echo.port}", "--detach")
    os.kill(listed(world)[0]["pid"], signal.SIGKILL)
    wait_until(lambda: listed(world) == [], "that it is cleaned up")
    assert reached(here) == b""
    world.run("train-host", "forward", "box", f"{here}:{echo.port}", "--detach")
    assert reached(here) == b"hello you"
    world.run("train-host", "forward", "box", "--stop")


def test_what_cannot_be_forwarded_is_said_at_once(world: World, echo: Echo) -> None:
    box = world.sshd("box")
    world.host(box)
    for words in ([], ["--detach"]):
        done = world.run("train-host", "forward", "box", str(echo.port), *words, check=False)
        assert done.status == 5 and f"port {echo.port} of this machine is in use" in done.err
    done = world.run("train-host", "forward", "nobody", "8888", "--detach", check=False)
    assert done.status == 3
    assert world.run("train-host", "forward", "box", check=False).status == 2
    box.stop()
    for words in ([], ["--detach"]):
        done = world.run("train-host", "forward", "box", str(free_port()), *words, check=False)
        assert done.status == 8 and listed(world) == []


def test_nothing_listens_there_yet(world: World) -> None:
    world.host(world.sshd("box"))
    there = free_port()
    with in_front(world, "box", f"{free_port()}:{there}") as child:
        assert child.stderr
        child.stderr.readline()
        assert child.stderr.readline() == f"nothing listens on port {there} of box yet\n"


def test_this_machine(world: World, echo: Echo) -> None:
    done = world.run("train-host", "forward", "local", str(echo.port))
    assert "needs no forward" in done.err
    here = free_port()
    with in_front(world, "local", f"{here}:{echo.port}") as child:
        wait_until(lambda: reached(here) == b"hello you", "the relay")
        child.send_signal(signal.SIGINT)
        assert child.wait(60) == 130


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("8888", "127.0.0.1:8888:localhost:8888"),
        ("1:65535", "127.0.0.1:1:localhost:65535"),
        ("8080:node7:80", "127.0.0.1:8080:node7:80"),
        ("8080:[::1]:80", "127.0.0.1:8080:[::1]:80"),
        ("0", ""), ("65536", ""), ("-oProxyCommand=x", ""), ("a:b", ""), ("node:80", ""), ("1:2:3:4", ""), ("", ""),
    ],
)  # fmt: skip
def test_ports_as_people_write_them(text: str, spec: str) -> None:
    if spec:
        assert [port.spec for port in parse_ports([text], "127.0.0.1")] == [spec]
    else:
        with pytest.raises(UsageError):
            parse_ports([text], "127.0.0.1")
    with pytest.raises(UsageError, match=r"twice|not a port"):
        parse_ports([text, text], "127.0.0.1")
