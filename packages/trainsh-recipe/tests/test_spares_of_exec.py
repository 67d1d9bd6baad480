"""`train exec` uses tools that the `exec` before left loaded. It cannot be told from one that starts its tools."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from trainsh_world import Done, World

    from conftest import Place

SPARE = re.compile(r"^\+ \S*/train-(\w+) serve  # a spare$", re.MULTILINE)
NEW = re.compile(r"^\+ \S*/train-(\w+) serve$", re.MULTILINE)


@pytest.fixture
def connected(world: "World") -> "World":
    """A world with a connected machine `box`, whose target is kept."""
    world.host(world.sshd("box"))
    world.run("train-host", "run", "box", "--", "true")
    deadline = time.monotonic() + 60
    while not list((world.runtime / "train").glob("t-*")):  # kept once hosts.toml is unchanged for 2 seconds
        assert time.monotonic() < deadline, "the target is not kept"
        world.run("train-host", "resolve", "box")
    world.extra["TRAINSH_DEBUG"] = "1"
    return world


def exec_(world: "World", text: str) -> "Done":
    """Run `train-recipe exec` with a text of its own, for which there is no kept plan."""
    return world.run("train-recipe", "exec", text, check=False)


def until_spares(world: "World", count: int) -> None:
    """Wait until so many spares wait."""
    deadline = time.monotonic() + 60
    while len([path for path in (world.runtime / "train").glob("s-*") if path.is_socket()]) < count:
        assert time.monotonic() < deadline, "no spare waits"
        time.sleep(0.02)


def test_the_third_exec_starts_no_tool(connected: "World") -> None:
    for number in range(2):
        done = exec_(connected, f"@box > echo {number}")
        assert (
            done.out == f"{number}\n" and NEW.findall(done.err) == ["tmux", "dsl"] and not SPARE.findall(done.err)
        )
    until_spares(connected, 2)
    for number in range(2, 5):
        done = exec_(connected, f"@box > echo {number}; exit {number}")
        assert (done.status, done.out) == (number, f"{number}\n"), done.err
        assert SPARE.findall(done.err) == ["tmux", "dsl"] and not NEW.findall(done.err)
        assert "+ ssh " in done.err  # the spare has the client's stderr and its variables


def test_a_spare_that_ended_and_a_host_that_changed(connected: "World") -> None:
    for _ in range(2):
        assert exec_(connected, "@box > echo one").out == "one\n"
    until_spares(connected, 1)
    # The kept target of the host is no longer valid, so the copy of the spare asks train-host again.
    hosts = connected.config / "hosts.toml"
    before = hosts.read_text()
    hosts.write_text(re.sub(r"port = \d+", "port = 1", before))
    done = exec_(connected, "@box > echo two")
    assert done.status == 8 and "port 1" in done.err and not done.out
    assert SPARE.findall(done.err) and "train-host" in done.err
    hosts.write_text(before)
    assert exec_(connected, "@box > echo three").out == "three\n"


def test_spares_can_be_switched_off(connected: "World") -> None:
    connected.run("train-config", "set", "exec.spare_time", "off")
    for _ in range(3):
        assert "a spare" not in exec_(connected, "@box > true").err
    assert not list((connected.runtime / "train").glob("s-*"))


def test_a_session_on_this_machine_starts_in_a_new_process(place: "Place") -> None:
    place.extra["TRAINSH_DEBUG"] = "1"
    for _ in range(4):
        done = place.run("exec", "@local > true")
        assert "train-tmux serve\n" in done.stderr


def test_the_session_is_opened_before_the_job_is(connected: "World") -> None:
    sessions = connected.servers[0].home / ".local" / "state" / "tmux-trainsh" / "sessions"
    assert exec_(connected, "@box > echo one").out == "one\n"
    assert [path.name for path in sessions.iterdir()] == [f"train-{last_job(connected)}"]
    # A text that is refused opens no session that stays.
    for text in ("@box timeout=never > true", "@box > true\n@nowhere.example <"):
        done = exec_(connected, text)
        assert done.status == 2 and not done.out, done.err
    deadline = time.monotonic() + 60
    while states(sessions) != {"closed"}:
        assert time.monotonic() < deadline, f"sessions are left: {states(sessions)}"
        time.sleep(0.02)
    # A transfer needs no session.
    before = len(list(sessions.iterdir()))
    (connected.home / "data").write_text("data")
    assert exec_(connected, "./data -> @box:copied").status == 0
    assert exec_(connected, "@box:copied -> ./back").status == 0
    assert len(list(sessions.iterdir())) == before


def states(sessions: Path) -> set[str]:
    """The states of all sessions on the host; "" for one that is open."""
    files = [folder / "state" for folder in sessions.glob("*/*")]
    return {file.read_text().strip() if file.exists() else "" for file in files}


def last_job(world: "World") -> str:
    """The id of the newest job."""
    return max(path.name for path in (world.config / "jobs").iterdir() if path.name[0].isdigit())
