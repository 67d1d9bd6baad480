"""Transfers to, from and between storages, with a real S3 service that checks signatures."""

import json
import os
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import world_b2
from trainsh_world import wait_until
from world_b2 import b2_service
from world_s3 import Service, s3_service

from trainsh_base.errors import CredentialError, NotFound, TrainError, Unreachable, UsageError
from trainsh_base.request import Request as Recorded
from trainsh_xfer.engines import rclone, rclone_filters
from trainsh_xfer.model import Options, Order, Result
from trainsh_xfer.transfer import carry_out


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One storage service for all tests of this module."""
    with s3_service(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def bucket(service: Service, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that holds the bucket `r2:first`, after it was emptied. The key of the bucket is in the
    environment.
    """
    folder = service.folder / "first"
    monkeypatch.setenv("R2_ACCESS_KEY", service.key)
    monkeypatch.setenv("R2_SECRET_KEY", service.secret)
    monkeypatch.setenv("TRAINSH_R2_ENDPOINT", service.address)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return folder


@pytest.fixture
def top(request: pytest.FixtureRequest) -> str:
    """The name of a folder of the bucket that only this test uses."""
    return "".join(char if char.isalnum() else "-" for char in request.node.name)


def transfer(source: str, destination: str, request: Recorded, *, verify: bool = False, **options: Any) -> Result:
    """Copy. The options are those of the command."""
    order = Order(source=source, destination=destination, options=Options(**options), verify=verify)
    return carry_out(order, request)


def obscured(password: str) -> str:
    """A password in the form that rclone's options need."""
    return subprocess.run(
        ["rclone", "obscure", password], capture_output=True, check=True, text=True
    ).stdout.strip()


def tree(folder: Path) -> dict[str, str]:
    """A map from the path of every file below `folder` to the text of the file."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("ending", "below", "expected"),
    [
        ("/", "", {"a.txt", "b.ckpt", "sub/c.txt"}),
        ("", "", {"source/a.txt", "source/b.ckpt", "source/sub/c.txt"}),
        ("/a.txt", "/new.txt", {"new.txt"}),
        ("/a.txt", "/into/", {"into/a.txt"}),
        ("/*.t[x]t", "/many", {"many/a.txt"}),
    ],
)
def test_slashes_mean_what_they_mean_to_rsync(
    bucket: Path,
    top: str,
    source: Path,
    request_: Recorded,
    tmp_path: Path,
    ending: str,
    below: str,
    expected: set[str],
) -> None:
    if ending == "/*.t[x]t":
        (source / "a2.txt").write_text("4")
        expected = {"many/a.txt", "many/a2.txt"}
    transfer(f"{source}{ending}", f"r2:first/{top}{below}", request_)
    back = tmp_path / "back"
    transfer(f"r2:first/{top}/", f"{back}", request_)
    assert set(tree(back)) == expected


def test_a_round_trip_and_nothing_is_sent_twice(
    bucket: Path, top: str, source: Path, request_: Recorded, tmp_path: Path
) -> None:
    (source / "-ä b{c}.txt").write_text("odd")
    first = transfer(f"{source}/", f"r2:first/{top}", request_, verify=True)
    assert (first.files, first.verified) == (4, True)
    assert transfer(f"{source}/", f"r2:first/{top}", request_).files == 0
    transfer(f"r2:first/{top}/", str(tmp_path / "back"), request_, verify=True)
    assert tree(tmp_path / "back") == tree(source)


def test_deletions_and_a_dry_run(bucket: Path, top: str, source: Path, request_: Recorded, tmp_path: Path) -> None:
    transfer(f"{source}/", f"r2:first/{top}", request_)
    (source / "a.txt").unlink()
    (source / "new.txt").write_text("new")
    (source / "b.ckpt").write_text("changed now")
    dry = transfer(f"{source}/", f"r2:first/{top}", request_, delete=True, dry_run=True)
    assert {(change.action, change.path) for change in dry.changes} == {
        ("delete", "a.txt"), ("create", "new.txt"), ("update", "b.ckpt"),
    }  # fmt: skip
    transfer(f"r2:first/{top}/", str(tmp_path / "untouched"), request_)
    assert (tmp_path / "untouched" / "a.txt").exists()
    real = transfer(f"{source}/", f"r2:first/{top}", request_, delete=True)
    assert (real.files, real.deleted) == (2, 1)
    transfer(f"r2:first/{top}/", str(tmp_path / "back"), request_)
    assert tree(tmp_path / "back") == tree(source)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"exclude": ["*.ckpt"]}, {"a.txt", "sub/c.txt"}),
        ({"exclude": ["sub"]}, {"a.txt", "b.ckpt"}),
        ({"exclude": ["/sub/"]}, {"a.txt", "b.ckpt"}),
        ({"exclude": ["/c.txt"]}, {"a.txt", "b.ckpt", "sub/c.txt"}),
        ({"include": ["c.*"], "exclude": ["*"]}, {"sub/c.txt"}),
        ({"include": ["*.txt"], "exclude": ["*"]}, {"a.txt", "sub/c.txt"}),
    ],
)
@pytest.mark.parametrize("contents", [True, False])
def test_patterns_mean_what_they_mean_to_rsync(
    bucket: Path, top: str, source: Path, request_: Recorded, tmp_path: Path,
    options: dict[str, list[str]], expected: set[str], contents: bool,
) -> None:  # fmt: skip
    if not contents:  # because in this case an anchored pattern must begin with the folder's own name
        options = {
            key: [f"/source{one}" if one.startswith("/") else one for one in value]
            for key, value in options.items()
        }
    here, there = tmp_path / "by-rsync", tmp_path / "by-rclone"
    here.mkdir()
    text = f"{source}/" if contents else str(source)
    transfer(text, str(here), request_, **options)
    transfer(text, f"r2:first/{top}", request_, **options)
    transfer(f"r2:first/{top}/", str(there), request_)
    wanted = {path if contents else f"source/{path}" for path in expected}
    assert (set(tree(here)), set(tree(there))) == (wanted, wanted)


def test_filters_of_a_folder_that_is_copied_itself() -> None:
    assert rclone_filters.rules([("-", "/data/x")], "data") == ["--filter=- /x/**", "--filter=- /x"]
    assert rclone_filters.rules([("-", "/other/x")], "data") == []
    assert rclone_filters.rules([("-", "da*")], "data")[-1] == "--filter=- **"


def test_wildcards_in_a_storage(bucket: Path, top: str, source: Path, request_: Recorded, tmp_path: Path) -> None:
    transfer(f"{source}/", f"r2:first/{top}", request_)
    back = tmp_path / "back"
    back.mkdir()
    transfer(f"r2:first/{top}/*.txt", str(back), request_)
    assert set(tree(back)) == {"a.txt"}


def test_a_move_leaves_no_files(bucket: Path, top: str, source: Path, request_: Recorded) -> None:
    transfer(f"{source}/", f"r2:first/{top}", request_, verify=True, move=True)
    assert not tree(source)


def test_between_two_places_of_one_service(
    bucket: Path, top: str, source: Path, request_: Recorded, tmp_path: Path
) -> None:
    transfer(f"{source}/", f"r2:first/{top}/one", request_)
    transfer(f"r2:first/{top}/one", f"r2:first/{top}/two", request_)
    transfer(f"r2:first/{top}/two/one/", str(tmp_path / "back"), request_)
    assert tree(tmp_path / "back") == tree(source)


def test_without_checksums_the_contents_are_compared(
    bucket: Path, source: Path, request_: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in {"TYPE": "crypt", "REMOTE": str(tmp_path / "crypt"), "PASSWORD": obscured("x")}.items():
        monkeypatch.setenv(f"RCLONE_CONFIG_KEPT_{key}", value)
    for text, to in ((f"{source}/", "rclone:KEPT:all"), (f"{source}/a.txt", "rclone:KEPT:one/")):
        assert transfer(text, to, request_, verify=True).verified


def test_what_is_not_there_is_not_found(bucket: Path, top: str, request_: Recorded, tmp_path: Path) -> None:
    for text in (f"r2:first/{top}/none", f"r2:first/{top}/none/", "r2:nowhere/x"):
        with pytest.raises(NotFound):
            transfer(text, str(tmp_path / "x"), request_)
    assert not (tmp_path / "x").exists()


def test_dangerous_deletions_are_refused(bucket: Path, source: Path, request_: Recorded) -> None:
    with pytest.raises(UsageError, match="remove every file"):
        transfer(f"{source}/", "r2:first/", request_, delete=True)
    with pytest.raises(UsageError, match="same"):
        transfer("r2:first/x", "r2:first/x", request_) if (bucket / "x").mkdir(exist_ok=True) else transfer(
            f"{source}/", str(source), request_
        )


@pytest.mark.parametrize(
    ("env", "kind"),
    [
        ({"R2_SECRET_KEY": "wrong"}, CredentialError),
        ({"TRAINSH_R2_ENDPOINT": "http://127.0.0.1:9"}, Unreachable),
    ],
)
def test_what_is_wrong_is_told_apart(
    bucket: Path,
    source: Path,
    request_: Recorded,
    monkeypatch: pytest.MonkeyPatch,
    env: dict[str, str],
    kind: type[TrainError],
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(kind) as caught:
        transfer(f"{source}/", "r2:first/refused", request_)
    assert "SECRET" not in caught.value.message


def test_a_file_that_cannot_be_read_is_named_and_the_others_arrive(
    bucket: Path, top: str, source: Path, request_: Recorded, tmp_path: Path
) -> None:
    (source / "dangling").symlink_to("nowhere")
    with pytest.raises(TrainError) as caught:
        transfer(f"{source}/", f"r2:first/{top}", request_)
    assert (caught.value.code, caught.value.exit_status) == ("partial", 1)
    assert "dangling" in caught.value.message
    transfer(f"r2:first/{top}/", str(tmp_path / "back"), request_)
    assert set(tree(tmp_path / "back")) == {"a.txt", "b.ckpt", "sub/c.txt"}


def test_rclone_is_named_where_it_is_missing(
    bucket: Path, source: Path, request_: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)  # as on a machine without rclone
    with pytest.raises(TrainError) as caught:
        transfer(f"{source}/", "r2:first/x", request_)
    assert (caught.value.exit_status, "rclone" in caught.value.message) == (9, True)


def test_uploads_that_were_killed_are_aborted_by_the_next_run(
    bucket: Path, service: Service, top: str, tmp_path: Path, request_: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After kill -9, rclone leaves an unfinished upload, which is billed, and the next run aborts it.

    Unfinished uploads of others must stay.
    """
    monkeypatch.setattr(rclone, "S3", ("--s3-chunk-size=5M", "--s3-upload-cutoff=5M"))
    (tmp_path / "big").write_bytes(os.urandom(30_000_000))
    monkeypatch.setenv("RCLONE_CONFIG", os.devnull)
    for key, value in {"TYPE": "s3", "PROVIDER": "Other", "ACCESS_KEY_ID": service.key, "FORCE_PATH_STYLE": "true",
                       "SECRET_ACCESS_KEY": service.secret, "ENDPOINT": service.address}.items():  # fmt: skip
        monkeypatch.setenv(f"RCLONE_CONFIG_RAW_{key}", value)

    def unfinished() -> list[str]:
        words = ["rclone", "backend", "list-multipart-uploads", f"RAW:first/{top}"]
        # the run fails before the first upload
        said = subprocess.run(words, capture_output=True, check=False).stdout
        return [row["Key"] for row in json.loads(said or b'{"first": []}')["first"]]

    other = subprocess.Popen(
        [
            "rclone",
            "copyto",
            "--bwlimit=5M",
            "--s3-upload-cutoff=5M",
            tmp_path / "big",
            f"RAW:first/{top}-other/x/big",
        ]
    )
    failed: list[TrainError] = []

    def attempt() -> None:
        try:
            transfer(f"{tmp_path}/big", f"r2:first/{top}/x/", request_, bwlimit=5000)
        except TrainError as error:
            failed.append(error)

    work = threading.Thread(target=attempt, daemon=True)
    work.start()
    wait_until(lambda: len(unfinished()) == 2)
    other.kill()
    other.wait()
    subprocess.run(["pkill", "-KILL", "-f", f"rclone copyto .*{tmp_path}/big .*{top}/x"], check=True)
    work.join(60)
    assert failed
    assert len(unfinished()) == 2
    transfer(f"{tmp_path}/big", f"r2:first/{top}/x/", request_)
    assert unfinished() == [f"{top}-other/x/big"], request_.of("log")


def test_a_large_file_of_b2_that_was_killed_is_aborted_by_the_next_run(
    tmp_path: Path, request_: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After kill -9, rclone leaves an unfinished large file, and the next run aborts it.

    An unfinished file below another destination must stay.
    """
    monkeypatch.setattr(rclone, "S3", ("--b2-chunk-size=5M", "--b2-upload-cutoff=5M"))
    (tmp_path / "big").write_bytes(os.urandom(12_000_000))
    failed: list[TrainError] = []

    def attempt(folder: str) -> None:
        try:
            transfer(f"{tmp_path}/big", f"b2:first/{folder}/", request_, bwlimit=3000)
        except TrainError as error:
            failed.append(error)

    with b2_service() as address:
        for name, value in {"B2_KEY_ID": world_b2.KEY_ID, "B2_APPLICATION_KEY": world_b2.KEY,
                            "TRAINSH_B2_ENDPOINT": address,
                            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}.items():  # fmt: skip
            monkeypatch.setenv(name, value)

        def unfinished() -> int:
            with urllib.request.urlopen(f"{address}/stand-in/unfinished") as answer:
                return int(json.loads(answer.read())["count"])

        works = [threading.Thread(target=attempt, args=(folder,), daemon=True) for folder in ("mine", "other")]
        for work in works:
            work.start()
        wait_until(lambda: unfinished() == 2)
        subprocess.run(["pkill", "-KILL", "-f", f"rclone copyto .*{tmp_path}/big"], check=True)
        for work in works:
            work.join(60)
        assert (len(failed), unfinished()) == (2, 2)
        transfer(f"{tmp_path}/big", "b2:first/mine/", request_)
        assert unfinished() == 1, request_.of("log")
        transfer(f"{tmp_path}/big", "b2:first/other/", request_)
        assert unfinished() == 0, request_.of("log")
