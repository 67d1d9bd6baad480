"""Tests with one table that the same options do the same in rsync, rclone on a host, and rclone here by sftp."""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from world_s3 import Service, s3_service

from trainsh_xfer.model import Options, Order, Result
from trainsh_xfer.transfer import carry_out

FILES = {
    "a.txt": "one", "b.ckpt": "two two", ".hidden": "h", "sub/c.txt": "three", "sub/deep/d.ckpt": "4",
    "sub/build/x.o": "5", "odd [name] {x}.txt": "6", "späte ❄.txt": "7",
}  # fmt: skip
# Each case has a source below the tree, a destination, and options. All engines must produce the same result as
# rsync.
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "contents": ("/", "", {}),
    "the folder itself": ("", "", {}),
    "a single file": ("/a.txt", "", {}),
    "wildcards": ("/*.[tc]*", "", {}),
    "excluded": ("/", "", {"exclude": ["*.ckpt", "build/", "/a.txt"]}),
    "included": ("/", "", {"include": ["*.txt"], "exclude": ["*"]}),
    "deleting": ("/", "", {"delete": True}),
    "deleting but what is excluded": ("/", "", {"delete": True, "exclude": ["old.*"]}),
    "by checksum": ("/", "", {"checksum": True}),
    "slowly": ("/sub/", "", {"bwlimit": 1000, "verify": True}),
    "a dry run": ("/", "", {"dry_run": True, "delete": True, "exclude": ["*.ckpt"]}),
    "moving": ("/", "", {"move": True}),
    "moving and deleting": ("/", "", {"move": True, "delete": True}),
    "a single file that is left out": ("/a.txt", "", {"exclude": ["*.txt"]}),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One storage service for all tests of this module."""
    with s3_service(tmp_path_factory.mktemp("s3")) as running:
        yield running


class Place:
    """A host that has the tree, and a destination that has two files of an earlier copy."""

    def __init__(self, world: Any, request: Any, service: Service) -> None:
        box = world.sshd("box")
        self.home: Path = box.home
        self.spec = world.spec(box)
        self.request = request
        self.service = service
        (self.home / "bin").mkdir()
        (self.home / "bin" / "rclone").symlink_to(shutil.which("rclone") or "")
        (self.home / ".bashrc").write_text("export PATH=$HOME/bin:$PATH\n")

    def run(self, engine: str, case: str) -> tuple[set[str], set[str], set[tuple[str, str]]]:
        """Run a case. Return the files at the destination, the files at the source, and the changes of a
        dry run.
        """
        below, into, options = CASES[case]
        tree, name = self.home / "tree", f"{case}-{engine}".replace(" ", "-")
        shutil.rmtree(tree, ignore_errors=True)
        write(tree, FILES)
        to = self.service.folder / "first" / name
        before = to if engine == "rsync" else self.home / "before"
        shutil.rmtree(before, ignore_errors=True)
        write(before, {"old.txt": "gone from the source", "a.txt": "one"})
        if engine != "rsync":  # because the service does not see files that other programs write to its disk
            self.copy(f"{before}/", f"r2:first/{name}", {})
        destination = f"{to}/{into}" if engine == "rsync" else f"r2:first/{name}/{into}"
        result = self.copy(f"@box:tree{below}", destination, dict(options))
        assert engine == "rsync" or ("on the host" in result.route) == (engine == "on the host"), result.route
        changes = {(change.action, change.path) for change in result.changes if change.kind == "file"}
        return names(to), names(tree), {one for one in changes if one[0] != "attributes"}

    def copy(self, source: str, destination: str, options: dict[str, Any]) -> Result:
        """Copy; `@box` in the endpoints means the host."""
        verify = bool(options.pop("verify", False))
        order = Order(
            source=source, destination=destination, options=Options(**options), hosts={"box": self.spec}, verify=verify
        )  # fmt: skip
        result = carry_out(order, self.request)
        assert result.verified == verify
        return result


def write(folder: Path, files: dict[str, str]) -> None:
    """Make files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        os.utime(folder / name, (1_700_000_000, 1_700_000_000))


def names(folder: Path) -> set[str]:
    """The files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def place(world: Any, service: Service, monkeypatch: pytest.MonkeyPatch, request_: Any) -> Place:
    """The host, and the service's key in the environment."""
    monkeypatch.setenv("R2_ACCESS_KEY", service.key)
    monkeypatch.setenv("R2_SECRET_KEY", service.secret)
    monkeypatch.setenv("TRAINSH_R2_ENDPOINT", service.address)
    return Place(world, request_, service)


QUICK = (
    "the folder itself",
    "excluded",
    "a single file that is left out",
    "moving and deleting",
    "deleting but what is excluded",
    "a dry run",
)


@pytest.mark.parametrize(
    ("engine", "cases"),
    [
        ("on the host", QUICK),
        pytest.param("on the host", CASES.keys() - set(QUICK), marks=pytest.mark.faults),
        pytest.param("relay", CASES, marks=pytest.mark.faults),
    ],
)
def test_they_mean_the_same(place: Place, engine: str, cases: Iterable[str]) -> None:
    if engine == "relay":
        (place.home / ".cache").touch()  # a file, so that no folder can be made there
    wrong = {}
    for case in cases:
        expected, found = place.run("rsync", case), place.run(engine, case)
        if expected != found:
            wrong[case] = [(a ^ b) for a, b in zip(expected, found, strict=True)]
    assert not wrong
