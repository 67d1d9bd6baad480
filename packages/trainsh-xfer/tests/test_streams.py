"""Tests --jobs with rsync: several streams give the same result as one.

The tests use a real sshd, and a real rsync on both sides.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.errors import TrainError
from trainsh_xfer.engines import rsync
from trainsh_xfer.model import Options, Order, Result
from trainsh_xfer.pairs import route
from trainsh_xfer.transfer import carry_out

ODD = ("new\nline", "-rf", "[x]*", "end\\", "späte ❄", "a b")


class Pair:
    """A tree on this machine, and a host.

    `started` holds the lists of names with which streams were started.
    """

    def __init__(self, world: Any, tmp_path: Path, request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.box = world.sshd("box")
        self.home: Path = self.box.home
        self.spec = world.spec(self.box)
        self.request = request
        self.tree = tmp_path / "tree"
        self.started: list[set[str]] = []
        fill(self.tree)
        share = route.Route.share

        def noted(me: route.Route, options: Options, names: Path) -> list[str]:
            self.started.append({os.fsdecode(name) for name in names.read_bytes().split(b"\0") if name})
            return share(me, options, names)

        monkeypatch.setattr(route.Route, "share", noted)

    def copy(self, source: str, destination: str, *, verify: bool = False, **options: Any) -> Result:
        """Copy; `@box` in the endpoints means the host."""
        order = Order(
            source=source, destination=destination, options=Options(**options), hosts={"box": self.spec}, verify=verify
        )  # fmt: skip
        return carry_out(order, self.request)


def fill(folder: Path) -> None:
    """Make files. Two of them are in a folder that the copy must leave out."""
    for number in range(12):
        path = folder / f"d{number % 3}" / f"f{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * number)
    for name in ODD:
        (folder / name).write_text(name)
    (folder / "skip").mkdir()
    (folder / "skip" / "a").write_text("a")
    (folder / "empty").mkdir()
    for path in folder.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))


def seen(folder: Path) -> dict[str, object]:
    """A map from every path below a folder to the contents of the file, or to the time of the folder."""
    return {
        os.fsdecode(path.relative_to(folder)): path.read_bytes() if path.is_file() else path.stat().st_mtime
        for path in folder.rglob("*")
    }


@pytest.fixture
def pair(world: Any, tmp_path: Path, request_: Any, monkeypatch: pytest.MonkeyPatch) -> Pair:
    return Pair(world, tmp_path, request_, monkeypatch)


def test_there_and_back_in_streams(pair: Pair, tmp_path: Path) -> None:
    (pair.home / "to").mkdir()
    (pair.home / "to" / "old").write_text("gone from the source")
    result = pair.copy(f"{pair.tree}/", "@box:to", jobs=3, delete=True, exclude=["skip"], verify=True, bwlimit=9000)
    names = {f"d{number % 3}/f{number}" for number in range(12)} | set(ODD)
    assert (result.files, result.deleted, result.verified, result.warnings) == (len(names), 1, True, [])
    assert len(pair.started) == 3
    assert set.union(*pair.started) == names
    assert sum(map(len, pair.started)) == len(names)
    expected = {key: value for key, value in seen(pair.tree).items() if not key.startswith("skip")}
    assert seen(pair.home / "to") == expected
    pair.started.clear()
    assert pair.copy(f"{pair.tree}/", "@box:to", jobs=3, delete=True, exclude=["skip"]).files == 0
    assert not pair.started
    result = pair.copy("@box:to", f"{tmp_path}/back/here", jobs=2, move=True)
    assert (result.files, len(pair.started)) == (len(names), 2)
    assert seen(tmp_path / "back" / "here" / "to") == expected
    assert not (pair.home / "to").exists()


def test_what_a_stream_cannot_copy_is_told_once_and_the_rest_arrives(pair: Pair) -> None:
    (pair.home / "to" / "d1" / "f1" / "in the way").mkdir(parents=True)
    with pytest.raises(TrainError) as caught:
        pair.copy(f"{pair.tree}/", "@box:to", jobs=4)
    assert (caught.value.code, caught.value.message.count("d1/f1")) == ("partial", 1), caught.value.message
    there = seen(pair.home / "to")
    assert [key for key, value in seen(pair.tree).items() if there.get(key) != value] == ["d1/f1"]


def test_a_stream_that_dies_is_made_up_for(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    copy, calls = rsync.copy, []

    def broken(*arguments: Any, names: str = "", **more: Any) -> list[str]:
        calls.append(names)
        if names.endswith("1"):
            return ["sh", "-c", "exit 2"]
        return copy(*arguments, names=names, **more)

    monkeypatch.setattr(route, "copy", broken)
    assert pair.copy(f"{pair.tree}/", "@box:to", jobs=2).files == 19
    assert any(name.endswith("1") for name in calls)
    assert seen(pair.home / "to") == seen(pair.tree)
    assert any("one of 2 streams ended" in event["message"] for event in pair.request.of("log"))


@pytest.mark.parametrize(
    ("source", "destination", "why"),
    [("{tree}/", "{tree}-to", "on this machine"), ("@box:in/", "@box:to", "on this way")],
)
def test_where_there_is_one_stream_a_warning_says_so(pair: Pair, source: str, destination: str, why: str) -> None:
    (pair.home / "in").mkdir()
    fill(pair.home / "in")
    ends = [text.format(tree=pair.tree) for text in (source, destination)]
    assert [warning for warning in pair.copy(*ends, jobs=2).warnings if "--jobs" in warning and why in warning]
    assert not pair.started
