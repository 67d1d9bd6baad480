"""Failures of a storage: which error and exit status each gives, and which files stay."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import world_b2
from world_b2 import b2_service
from world_s3 import Service, s3_service
from world_sshd import has_mount_namespaces

from trainsh_base.errors import TrainError
from trainsh_xfer.engines import rclone
from trainsh_xfer.model import Options, Order, Result
from trainsh_xfer.transfer import carry_out


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with s3_service(tmp_path_factory.mktemp("s3")) as running:
        yield running


def patience(seconds: int) -> tuple[str, ...]:
    """One attempt, and how long it waits for an answer."""
    return ("--retries=1", "--low-level-retries=1", f"--contimeout={seconds}s", f"--timeout={seconds}s")


@pytest.fixture
def copy(service: Service, request_: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A function that makes a transfer, with the service's key in the environment and no second attempts."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": service.key, "AWS_SECRET_ACCESS_KEY": service.secret,
        "TRAINSH_S3_ENDPOINT": service.address, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(rclone, "PATIENCE", patience(60))

    def run(source: str, destination: str, **options: Any) -> Result:
        order = Order(source=source, destination=destination, options=Options(**options))
        return carry_out(order, request_)

    return run


@pytest.mark.parametrize(
    ("env", "to", "exit_status", "code"),
    [
        ({}, "s3:nowhere/x", 3, "no_bucket"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "s3:first/x", 4, "refused"),
        ({"TRAINSH_S3_ENDPOINT": "http://127.0.0.1:9"}, "s3:first/x", 8, "unreachable"),
        ({"TRAINSH_S3_ENDPOINT": "http://name.invalid"}, "s3:first/x", 8, "unreachable"),
        ({"TRAINSH_S3_ENDPOINT": "SILENT"}, "s3:first/x", 8, "unreachable"),
    ],
    ids=["no bucket", "wrong key", "no service", "no such name", "silence"],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_storage_that_cannot_be_used(
    copy: Callable[..., Result], source: Path, silent: str, monkeypatch: pytest.MonkeyPatch,
    env: dict[str, str], to: str, exit_status: int, code: str, dry_run: bool,
) -> None:  # fmt: skip
    for name, value in env.items():
        monkeypatch.setenv(name, silent if value == "SILENT" else value)
        if value == "SILENT":
            monkeypatch.setattr(rclone, "PATIENCE", patience(2))
    if dry_run and code == "no_bucket":  # a listing cannot distinguish an empty bucket from a missing one
        assert copy(f"{source}/", to, delete=True, dry_run=True).files in (0, 3)
        return
    with pytest.raises(TrainError) as caught:
        copy(f"{source}/", to, delete=True, dry_run=dry_run)
    assert (caught.value.exit_status, caught.value.code) == (exit_status, code)
    assert "SECRET" not in caught.value.message
    assert sorted(path.name for path in source.iterdir()) == ["a.txt", "b.ckpt", "sub"]


def test_a_host_that_cannot_be_reached_is_never_a_folder(
    copy: Callable[..., Result], source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone.invalid:").mkdir()
    monkeypatch.chdir(tmp_path)
    for text, destination in (("host:me@gone.invalid:/x", "s3:first/h"), ("me@gone.invalid:/x", "to"),
                              (f"{source}/", "me@gone.invalid:/x")):  # fmt: skip
        with pytest.raises(TrainError) as caught:
            copy(text, destination, delete=True)
        assert caught.value.exit_status == 8
    assert sorted(path.name for path in tmp_path.iterdir() if path.name not in ("home", "trainsh")) == [
        "gone.invalid:", "source",
    ]  # fmt: skip


@pytest.mark.skipif(not has_mount_namespaces(), reason="a small disk is a mount")
def test_a_full_disk_keeps_the_files_that_fit(copy: Callable[..., Result], source: Path, tmp_path: Path) -> None:
    copy(f"{source}/", "s3:first/full")  # the service may fail if several uploads make the same new folder
    (source / "big").write_bytes(os.urandom(3_000_000))
    copy(f"{source}/", "s3:first/full")
    (tmp_path / "small").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path / "small"], check=True)
    try:
        for text in ("s3:first/full/", f"{source}/"):
            with pytest.raises(TrainError) as caught:
                copy(text, f"{tmp_path}/small/{len(text)}")
            assert (caught.value.exit_status, caught.value.code) == (1, "full")
            assert "free some space" in caught.value.hint
        assert (tmp_path / "small" / str(len("s3:first/full/")) / "a.txt").read_text() == "one"
    finally:
        subprocess.run(["umount", "-l", tmp_path / "small"], check=True)


def test_a_bucket_that_vanishes_and_comes_back(copy: Callable[..., Result], service: Service, source: Path) -> None:
    rclone_raw(service, "mkdir", "RAW:brief")
    copy(f"{source}/", "s3:brief/x")
    rclone_raw(service, "purge", "RAW:brief")
    with pytest.raises(TrainError) as caught:
        copy(f"{source}/", "s3:brief/x", delete=True)
    assert caught.value.exit_status == 3
    rclone_raw(service, "mkdir", "RAW:brief")
    assert copy(f"{source}/", "s3:brief/x").files == 3


def rclone_raw(service: Service, *words: str) -> None:
    """Run rclone, with the service as its remote RAW."""
    settings = {"TYPE": "s3", "PROVIDER": "Other", "ACCESS_KEY_ID": service.key, "FORCE_PATH_STYLE": "true",
                "SECRET_ACCESS_KEY": service.secret, "ENDPOINT": service.address}  # fmt: skip
    env = {f"RCLONE_CONFIG_RAW_{key}": value for key, value in settings.items()}
    subprocess.run(["rclone", *words], env={**os.environ, "RCLONE_CONFIG": os.devnull, **env}, check=True)


def test_b2_says_what_is_wrong_with_it(
    copy: Callable[..., Result], source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("B2_KEY_ID", world_b2.KEY_ID)
    with b2_service() as address:
        monkeypatch.setenv("TRAINSH_B2_ENDPOINT", address)
        for key, to, exit_status in (("wrong", "b2:first/x", 4), (world_b2.KEY, "b2:nowhere/x", 3)):
            monkeypatch.setenv("B2_APPLICATION_KEY", key)
            with pytest.raises(TrainError) as caught:
                copy(f"{source}/", to)
            assert caught.value.exit_status == exit_status
