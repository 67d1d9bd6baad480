"""What train-host resolved is used by other programs while nothing has changed and the machine is connected."""

import json
import os
from pathlib import Path

import pytest
from trainsh_world import World

from trainsh_base.remote.resolved import kept_target
from trainsh_base.remote.target import Target


def resolved(world: World, name: str = "box") -> Target:
    """Have train-host resolve it, from files that have been as they are for a while."""
    for path in Path(world.env["TRAINSH_HOME"]).glob("*.toml"):
        os.utime(path, (1e9, 1e9))
    return Target(**json.loads(world.run("train-host", "resolve", name, "--json").out))


@pytest.fixture
def hosts(world: World) -> Path:
    """hosts.toml with a machine that is connected."""
    world.host(world.sshd("box"))
    world.run("train-host", "run", "box", "--", "true")
    return Path(world.env["TRAINSH_HOME"]) / "hosts.toml"


def test_an_answer_is_kept(world: World, hosts: Path) -> None:
    assert kept_target.find("box") is None
    target = resolved(world)
    assert kept_target.find("box") == target and kept_target.find("bo") is None


def test_not_after_a_change_of_hosts_toml(world: World, hosts: Path) -> None:
    resolved(world)
    hosts.write_text(hosts.read_text() + "\n")
    assert kept_target.find("box") is None
    # A file that was changed just now may change again without a new modification time.
    world.run("train-host", "resolve", "box", "--json")
    assert kept_target.find("box") is None


def test_not_in_another_environment(world: World, hosts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolved(world)
    monkeypatch.setenv("HOME", "/elsewhere")
    assert kept_target.find("box") is None


def test_not_once_the_connection_is_closed(world: World, hosts: Path) -> None:
    resolved(world)
    world.run("train-host", "disconnect", "box")
    assert kept_target.find("box") is None


@pytest.mark.parametrize("line", ['jump_host = "other"', 'ssh_key_path = "key"', 'ref = "vast:1"'])
def test_not_what_depends_on_more_than_the_settings(world: World, hosts: Path, line: str) -> None:
    text = hosts.read_text()
    rest = "".join(each for each in text.splitlines(keepends=True) if line.split(maxsplit=1)[0] not in each)
    hosts.write_text(rest.replace("[[hosts]]\n", f"[[hosts]]\n{line}\n"))
    os.utime(hosts, (1e9, 1e9))
    world.run("train-host", "resolve", "box", "--json", check=False)
    assert not list(Path(world.env["XDG_RUNTIME_DIR"]).glob("*/t-*"))
