"""Tests every pair of endpoint kinds with one table of cases.

The cases are: a copy, a second copy that sends nothing, a sync with deletions, excludes, a dry run, and verify. The
services are real processes: rclone's S3 server with signatures, imitations of B2 and Drive, and two sshds. `sftp`
is a remote of the user's own rclone configuration that leads to one of the two sshds.
"""

import contextlib
import filecmp
import itertools
import random
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import world_b2
from trainsh_world import World, new_world
from world_b2 import b2_service
from world_drive import drive_service
from world_s3 import s3_service

from trainsh_base.request import Request
from trainsh_xfer.model import Options, Order, Result
from trainsh_xfer.transfer import carry_out

KINDS = ("here", "host", "other", "s3", "b2", "drive", "sftp")
# These pairs are always tested. The other pairs are marked `faults`, because a test of all 49 takes minutes.
QUICK = {("here", "b2"), ("drive", "here"), ("host", "other")}
PAIRS = [
    pytest.param(*pair, marks=() if pair in QUICK else pytest.mark.faults, id="-".join(pair))
    for pair in itertools.product(KINDS, KINDS)
]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Starts every service, and returns the environment variables with which the services are reached."""
    folder = tmp_path_factory.mktemp("services")
    (folder / "s3").mkdir()
    with ExitStack() as stack:
        s3 = stack.enter_context(s3_service(folder / "s3"))
        b2 = stack.enter_context(b2_service())
        drive = stack.enter_context(drive_service(folder))
        yield {
            **drive.env, "GOOGLE_DRIVE_TOKEN": drive.token, "AWS_ACCESS_KEY_ID": s3.key,
            "AWS_SECRET_ACCESS_KEY": s3.secret, "TRAINSH_S3_ENDPOINT": s3.address, "TRAINSH_B2_ENDPOINT": b2,
            "B2_KEY_ID": world_b2.KEY_ID, "B2_APPLICATION_KEY": world_b2.KEY,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }  # fmt: skip


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, dict[str, str]]]:
    """Two hosts, and their specs."""
    with new_world() as world:
        yield world, {name: world.spec(world.sshd(name)) for name in ("host", "other")}


@pytest.fixture
def at(
    services: dict[str, str], machines: tuple[World, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Callable[[str, str], str]:  # fmt: skip
    """A function that returns the endpoint of a kind for a folder. Each test has its own folders."""
    world, specs = machines
    for name, value in {**world.env, **services}.items():
        monkeypatch.setenv(name, value)
    words = specs["host"].split()
    user, _, address = words[0].partition("@")
    options = dict(zip(words[1::2], words[2::2], strict=False))
    config = tmp_path / "rclone.conf"
    config.write_text(
        f"[box]\ntype = sftp\nhost = {address}\nuser = {user}\nport = {options['-p']}\nkey_file = {options['-i']}\n"
        "shell_type = unix\n"
    )
    monkeypatch.setenv("RCLONE_CONFIG", str(config))
    top = "".join(char if char.isalnum() else "-" for char in request.node.name)
    forms = {
        "here": f"{tmp_path}/{{}}", "host": f"@host:{top}/{{}}", "other": f"@other:{top}/{{}}",
        "s3": f"s3:first/{top}/{{}}", "b2": f"b2:first/{top}/{{}}", "drive": f"gdrive:{top}/{{}}",
        "sftp": f"rclone:box:{top}/{{}}",
    }  # fmt: skip
    return lambda kind, name: forms[kind].format(name)


def tree(folder: Path) -> dict[str, str]:
    """A map from the path of every file below `folder` to the text of the file."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("source", "destination"), PAIRS)
def test_a_pair(
    at: Callable[[str, str], str],
    machines: tuple[World, dict[str, str]],
    tmp_path: Path,
    source: str,
    destination: str,
) -> None:
    def copy(one: str, other: str, *, verify: bool = False, **options: Any) -> Result:
        order = Order(source=one, destination=other, options=Options(**options), verify=verify, hosts=machines[1])
        return carry_out(order, Request())

    first = {"a b.txt": "one", "sub/ü{x}.txt": "three", "sub/b.ckpt": "two two", "log/x": "x"}
    write(tmp_path / "begin", first)
    start, end = at(source, "from"), at(destination, "to")
    copy(f"{tmp_path}/begin/", start)
    assert copy(f"{start}/", end, verify=True, exclude=["log"]).files == 3
    again = copy(f"{start}/", end, exclude=["log"])
    assert (again.files, again.deleted) == (0, 0)
    write(tmp_path / "begin", {"new.txt": "new", "sub/b.ckpt": "changed now"})
    (tmp_path / "begin" / "a b.txt").unlink()
    copy(f"{tmp_path}/begin/", start, delete=True)
    dry = copy(f"{start}/", end, delete=True, dry_run=True, exclude=["log"])
    assert {(one.action, one.path) for one in dry.changes if one.kind == "file" and one.action != "attributes"} == {
        ("delete", "a b.txt"), ("create", "new.txt"), ("update", "sub/b.ckpt"),
    }  # fmt: skip
    copy(f"{end}/", f"{tmp_path}/untouched")
    assert tree(tmp_path / "untouched") == {name: text for name, text in first.items() if name != "log/x"}
    real = copy(f"{start}/", end, delete=True, verify=True)
    assert (real.files, real.deleted) == (3, 1)
    copy(f"{end}/", f"{tmp_path}/back")
    assert tree(tmp_path / "back") == tree(tmp_path / "begin")


def write(folder: Path, files: dict[str, str]) -> None:
    """Files with these texts."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


KILLED = (
    ("here", "s3"),
    ("s3", "here"),
    ("here", "host"),
    ("host", "here"),
    ("host", "s3"),
    ("host", "other"),
    ("here", "b2"),
)


@pytest.mark.faults
@pytest.mark.parametrize(("source", "destination"), KILLED, ids=map("-".join, KILLED))
def test_a_transfer_that_is_killed_goes_on(
    at: Callable[[str, str], str], machines: tuple[World, dict[str, str]], services: dict[str, str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, source: str, destination: str,
) -> None:  # fmt: skip
    """A transfer gets kill -9 at random moments, and then runs to its end.

    After that everything has arrived, and no upload is left unfinished.
    """
    # uploads even this file in parts, as large files are uploaded
    monkeypatch.setenv("RCLONE_B2_UPLOAD_CUTOFF", "6M")
    monkeypatch.setenv("RCLONE_B2_CHUNK_SIZE", "5M")
    chance = random.Random(f"{source}-{destination}")
    write(tmp_path / "begin", {f"sub/{number}": str(number) * 50_000 for number in range(30)})
    (tmp_path / "begin" / "big").write_bytes(chance.randbytes(25_000_000))
    hosts = [word for name, spec in machines[1].items() for word in ("--host", f"{name}={spec}")]
    start, end = at(source, "from"), at(destination, "to")
    subprocess.run(["train-xfer", "copy", f"{tmp_path}/begin/", start, *hosts], check=True)
    words = ["train-xfer", "copy", f"{start}/", end, "--verify", *hosts]
    for _ in range(4):
        tool = subprocess.Popen([*words, "--bwlimit", "6M"])
        with contextlib.suppress(subprocess.TimeoutExpired):
            tool.wait(chance.uniform(0.5, 4))
        tool.kill()
        tool.wait()
    subprocess.run(words, check=True, timeout=120)
    subprocess.run(["train-xfer", "copy", f"{end}/", f"{tmp_path}/back", *hosts], check=True)
    same = filecmp.dircmp(tmp_path / "begin", tmp_path / "back")
    assert not (same.left_only or same.right_only or same.diff_files or same.subdirs["sub"].diff_files)
    if destination == "b2":
        address = services["TRAINSH_B2_ENDPOINT"]
        with urllib.request.urlopen(f"{address}/stand-in/unfinished") as answer:
            assert answer.read() == b'{"count": 0}'
