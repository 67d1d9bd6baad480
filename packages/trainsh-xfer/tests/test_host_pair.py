"""Copies from one host to another and within one host, with real sshds and real keys; and what they leave
behind.
"""

import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from trainsh_world import wait_until

from trainsh_base.errors import Cancelled, MissingProgram, NotFound, TrainError, UsageError
from trainsh_xfer.model import Options, Result
from trainsh_xfer.transfer import Order, carry_out


class Two:
    """Two hosts. The second one accepts keys from ~/.ssh/authorized_keys."""

    def __init__(self, world: Any, a: Any = None, b: Any = None) -> None:
        self.world = world
        self.a = a or world.sshd("a")
        self.b = b or world.sshd("b", settings=takes_keys(world, "b"))
        self.hosts = {"a": world.spec(self.a), "b": world.spec(self.b)}
        self.authorized: Path = self.b.home / ".ssh" / "authorized_keys"
        (self.a.home / ".bashrc").write_text("export TMPDIR=$HOME\n")

    def copy(self, source: str, destination: str, request: Any, **more: Any) -> Result:
        known = {key: more.pop(key) for key in list(more) if key in Options.__struct_fields__}
        options = Options(**known)
        order = Order(source=source, destination=destination, options=options, hosts=self.hosts, **more)
        return carry_out(order, request)

    def leftovers(self) -> list[str]:
        """What a transfer must not leave behind: its folders, keys and agents."""
        here = [path.name for path in self.world.runtime.iterdir() if path.name.startswith("k-")]
        there = [path.name for path in self.a.home.glob("trainsh-xfer-*")]
        lines = self.authorized.read_text().splitlines() if self.authorized.exists() else []
        return here + there + [line for line in lines if "trainsh" in line]


def takes_keys(world: Any, name: str) -> tuple[str]:
    """The setting with which an sshd also reads the account's own authorized_keys, as sshds usually do."""
    return (f"AuthorizedKeysFile .ssh/authorized_keys {world.folder}/h-{name}/authorized_keys",)


@pytest.fixture
def two(world: Any) -> Two:
    return Two(world)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, and the contents of each."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_from_one_to_the_other(two: Two, source: Path, request_: Any) -> None:
    two.authorized.parent.mkdir()
    two.authorized.write_text("# a comment without a newline at its end")
    shutil.copytree(source, two.a.home / "runs" / "it's new")
    result = two.copy("@a:~/runs/it's new", "@b:~/deep er/$x", request_, verify=True)
    assert (result.files, result.bytes, result.verified) == (3, 15, True)
    assert tree(two.b.home / "deep er" / "$x" / "it's new") == tree(source)
    assert any("goes through this machine" in event["message"] for event in request_.of("log"))
    assert two.authorized.read_text() == "# a comment without a newline at its end"
    assert two.leftovers() == []


@pytest.mark.parametrize("name", ["a b", "*", "[x]", 'a"b', "$HOME", "~", "-rf", "a\\b", "ü", "a;b"])
def test_odd_names(two: Two, name: str, request_: Any) -> None:
    (two.a.home / name).write_text(name)
    (two.a.home / "x").write_text("other")
    two.copy(f"@a:{name}", f"@b:in/{name}/", request_, source_quoted=True, destination_quoted=True)
    assert tree(two.b.home / "in") == {f"{name}/{name}": name.encode()}


def test_wildcards_move_delete_dry_run(two: Two, source: Path, request_: Any) -> None:
    shutil.copytree(source, two.a.home / "data")
    assert two.copy("@a:data/*.txt", "@b:some/", request_).files == 1
    (two.b.home / "some" / "stale").write_text("x")
    dry = two.copy("@a:data/", "@b:some", request_, delete=True, dry_run=True)
    assert {(change.action, change.path) for change in dry.changes if change.kind == "file"} == {
        ("create", "b.ckpt"), ("create", "sub/c.txt"), ("delete", "stale"),
    }  # fmt: skip
    assert sorted(tree(two.b.home / "some")) == ["a.txt", "stale"]
    result = two.copy("@a:data", "@b:moved/to/", request_, move=True, verify=True, exclude=["*.ckpt"])
    assert result.files == 2
    assert sorted(tree(two.b.home / "moved")) == ["to/data/a.txt", "to/data/sub/c.txt"]
    assert [path.name for path in (two.a.home / "data").rglob("*")] == ["b.ckpt"]
    with pytest.raises(NotFound):
        two.copy("@a:nothing", "@b:x/", request_)
    with pytest.raises(UsageError, match="would remove every file"):
        two.copy("@a:data/", "@b:~", request_, delete=True)
    assert two.leftovers() == []


def test_the_key_runs_nothing_else(world: Any, request_: Any) -> None:
    """While the transfer runs, the line in the destination's authorized_keys allows one rsync, no forwarding, no
    terminal.
    """
    two = straight(world)
    two.authorized.parent.mkdir()
    two.authorized.write_text("# a comment without a newline at its end")
    (two.a.home / "big").write_bytes(os.urandom(8_000_000))
    work = threading.Thread(target=lambda: two.copy("@a:big", "@b:up/", request_, bwlimit=2000))
    work.start()
    wait_until((two.b.home / "up").exists)
    line = two.authorized.read_text()
    work.join(120)
    line = line.removeprefix("# a comment without a newline at its end\n")
    assert line.startswith('restrict,expiry-time="20')
    assert "rsync" in line.split('command="')[1]
    assert (two.b.home / "up" / "big").read_bytes() == (two.a.home / "big").read_bytes()
    assert two.authorized.read_text() == "# a comment without a newline at its end\n"
    assert two.leftovers() == []


def straight(world: Any, far_settings: tuple[str, ...] = (), **near: Any) -> Two:
    """Two hosts. The first is in a network of its own and can reach the second."""
    far = world.network_host("far", settings=far_settings)
    near = {"settings": takes_keys(world, "near"), **near}
    return Two(world, far.sshd, world.sshd("near", address=far.here, **near))


def test_straight_where_there_is_a_way(world: Any, source: Path, request_: Any) -> None:
    two = straight(world)
    shutil.copytree(source, two.a.home / "data")
    assert two.copy("@a:data/", "@b:got", request_, verify=True).files == 3
    assert tree(two.b.home / "got") == tree(source)
    assert [event["message"] for event in request_.of("log")] == ["verifying by checksum"]
    assert two.leftovers() == []


@pytest.mark.parametrize("why", ["other keys", "no forwarding", "no ssh", "csh"])
def test_through_this_machine_where_the_straight_way_fails(
    world: Any, source: Path, request_: Any, tmp_path: Path, why: str
) -> None:
    """The straight way fails for each of these reasons, and the data goes through this machine.

    The cases are an sshd that reads another AuthorizedKeysFile, an sshd that forwards nothing, a source without
    ssh, and the login shell csh (where quotes end at a newline) with several host keys.
    """
    forwarding = ("AllowStreamLocalForwarding no",) if why == "no forwarding" else ()
    near = {"other keys": {"settings": ()}, "csh": {"shell": "/bin/tcsh"}}.get(why, {})
    two = straight(world, forwarding, **near)
    if why == "no ssh":
        (tmp_path / "bin").mkdir()
        for name in ("rsync", "sh", "mkdir", "cat", "rm", "mkfifo", "rmdir", "find"):
            (tmp_path / "bin" / name).symlink_to(shutil.which(name) or "")
        (two.a.home / ".bashrc").write_text(f"export TMPDIR=$HOME PATH='{tmp_path}/bin'\n")
    shutil.copytree(source, two.a.home / "data")
    assert two.copy("@a:data/", "@b:new/got", request_, verify=True).files == 3
    assert tree(two.b.home / "new" / "got") == tree(source)
    said = [event["message"] for event in request_.of("log")]
    assert ["through this machine" in text for text in said] == ([False] if why == "csh" else [True, False])
    assert two.leftovers() == []


def test_a_detour_where_there_is_none(world: Any, source: Path, request_: Any) -> None:
    """Two hosts, each in a network of its own, reach this machine but not each other."""
    a = world.network_host("a")
    b = world.network_host("b", settings=takes_keys(world, "b"))
    two = Two(world, a.sshd, b.sshd)
    shutil.copytree(source, a.sshd.home / "data")
    assert two.copy("@a:data/", "@b:got", request_).files == 3
    assert tree(b.sshd.home / "got") == tree(source)
    assert any("goes through this machine" in event["message"] for event in request_.of("log"))


def test_a_lost_connection_is_made_again(two: Two, request_: Any) -> None:
    (two.a.home / "big").write_bytes(os.urandom(20_000_000))
    results: list[Result] = []
    work = threading.Thread(target=lambda: results.append(two.copy("@a:big", "@b:up/", request_, bwlimit=5000)))
    work.start()
    wait_until(lambda: any(path.stat().st_size > 4_000_000 for path in (two.b.home / "up").glob(".big.*")))
    two.b.drop()
    work.join(120)
    assert (two.b.home / "up" / "big").read_bytes() == (two.a.home / "big").read_bytes()
    assert results[0].sent < 18_000_000
    assert two.leftovers() == []


def test_a_cancelled_transfer_leaves_nothing(two: Two, request_: Any) -> None:
    (two.a.home / "big").write_bytes(os.urandom(20_000_000))
    caught: list[BaseException] = []

    def work() -> None:
        try:
            two.copy("@a:big", "@b:up/", request_, bwlimit=4000)
        except Cancelled as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: any(path.stat().st_size > 2_000_000 for path in (two.b.home / "up").glob(".big.*")))
    request_.cancel()
    thread.join(60)
    assert len(caught) == 1
    assert two.leftovers() == []
    wait_until((two.b.home / "up" / ".train-partial" / "big").exists)


def test_login_files_that_print(two: Two, source: Path, request_: Any) -> None:
    for box in (two.a, two.b):
        (box.home / ".bashrc").write_text("export TMPDIR=$HOME; echo 'Welcome'; printf 'no newline at the end: '\n")
    shutil.copytree(source, two.a.home / "data")
    assert two.copy("@a:data/", "@b:got", request_, verify=True).files == 3
    assert tree(two.b.home / "got") == tree(source)
    assert two.copy("@a:data/", "@a:copy", request_).files == 3
    assert two.leftovers() == []


def test_a_killed_transfer_leaves_nothing(world: Any) -> None:
    """After kill -9 of the transfer, everything that it left on both hosts and here is removed without another
    transfer.
    """
    two = straight(world)
    (two.a.home / "big").write_bytes(os.urandom(8_000_000))
    hosts = [word for name, spec in two.hosts.items() for word in ("--host", f"{name}={spec}")]
    tool = subprocess.Popen(["train-xfer", "copy", "@a:big", "@b:up/", "--bwlimit", "2M", *hosts])
    wait_until(lambda: any(path.stat().st_size > 500_000 for path in (two.b.home / "up").glob(".big.*")))
    assert len(two.leftovers()) >= 2
    tool.kill()
    tool.wait()
    wait_until(lambda: two.leftovers() == [])


def test_no_rsync_at_the_source(two: Two, tmp_path: Path, request_: Any) -> None:
    (two.a.home / ".bashrc").write_text(f"PATH='{tmp_path}'\n")
    with pytest.raises(MissingProgram, match="rsync is not installed on"):
        two.copy("@a:x", "@b:y", request_)
    assert two.leftovers() == []


def test_within_one_host(two: Two, source: Path, request_: Any) -> None:
    shutil.copytree(source, two.a.home / "data")
    result = two.copy("@a:data/", "@a:~/deep er/copy", request_, verify=True)
    assert (result.files, result.verified) == (3, True)
    assert tree(two.a.home / "deep er" / "copy") == tree(source)
    assert two.copy("@a:data/*.txt", "@a:more/", request_, move=True).files == 1
    assert not (two.a.home / "data" / "a.txt").exists()
    assert two.copy("@a:data/", "@a:no/such", request_, dry_run=True).files == 2
    assert not (two.a.home / "no").exists()
    for source_, destination in (("data", "."), ("data/", "data"), ("./data/", "data/sub/.."), ("data", "data/x")):
        with pytest.raises(UsageError, match=r"the same|inside its source"):
            two.copy(f"@a:{source_}", f"@a:{destination}", request_)
    with pytest.raises(TrainError):
        two.copy("@a:nothing", "@a:x", request_)
