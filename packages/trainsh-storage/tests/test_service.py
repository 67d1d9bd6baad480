"""Uses a real S3 service for tests of a storage, listings and sizes.

Each kind of failure gives a different error.
"""

import os
import sys
from datetime import datetime
from pathlib import Path

import pytest
from world_s3 import Service

from trainsh_base.errors import CredentialError, MissingProgram, NotFound, TrainError, Unreachable
from trainsh_storage import browse, check, credentials, rclone
from trainsh_storage.model import Storage
from trainsh_storage.resolve import resolve


def bucket(service: Service, name: str = "first", **more: str) -> Storage:
    """A bucket of the service, as an s3 storage."""
    return Storage(name="box", kind="s3", config={"bucket": name, "endpoint": service.address, **more})


def test_every_stage_passes_and_nothing_is_left(keys: Service) -> None:
    stages = list(check.stages(bucket(keys)))
    assert [(stage.name, stage.state) for stage in stages] == [
        (name, "ok") for name in ("settings", "write", "read", "list", "delete")
    ]
    assert not list((keys.folder / "first").glob(".train-test-*"))


def test_r2_works_with_an_endpoint_of_its_own(keys: Service) -> None:
    storage = Storage(name="", kind="r2", config={"bucket": "first", "endpoint": keys.address})
    assert all(stage.state == "ok" for stage in check.stages(storage))


@pytest.mark.parametrize(
    ("change", "env", "exit_status", "cause", "words"),
    [
        ({}, {"AWS_SECRET_ACCESS_KEY": "wrong"}, 4, "authentication", "SignatureDoesNotMatch"),
        ({}, {"AWS_ACCESS_KEY_ID": "WRONG"}, 4, "authentication", "InvalidAccessKeyId"),
        ({"bucket": "nowhere"}, {}, 3, "bucket", "nowhere"),
        ({"endpoint": "http://127.0.0.1:9"}, {}, 8, "network", "connection refused"),
    ],
)
def test_what_is_wrong_is_told_apart(
    keys: Service,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, str],
    env: dict[str, str],
    exit_status: int,
    cause: str,
    words: str,
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    storage = bucket(keys)
    storage = Storage(name="box", kind="s3", config={**storage.config, **change})
    first = next(stage for stage in check.stages(storage) if stage.state == "failed")
    assert (first.name, first.exit, first.cause) == ("write", exit_status, cause)
    assert first.fix
    assert words in first.detail
    assert "SECRET" not in first.detail.replace("SECRET_", "")


def test_a_listing_has_folders_first(keys: Service) -> None:
    place = resolve(bucket(keys), "S")
    for name, content in {"z/inner": b"12345", "-a file é": b"123", "b": b"."}.items():
        rclone.ask(place, "rcat", rclone.path(place, f"listing/{name}"), input=content)
    rows = browse.entries(bucket(keys), "listing")
    assert [(row.name, row.folder, row.size) for row in rows] == [
        ("z", True, None), ("-a file é", False, 3), ("b", False, 1),
    ]  # fmt: skip
    assert [row.modified[:2] for row in rows] == ["", "20", "20"]  # a folder of a bucket has no date
    usage = browse.usage(bucket(keys), "listing")
    assert (usage.files, usage.size) == (3, 9)


def test_a_folder_that_is_not_there(keys: Service, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        browse.entries(bucket(keys, "nowhere"), "")
    with pytest.raises(NotFound):
        browse.entries(Storage(name="here", kind="local", config={"path": str(tmp_path / "none")}), "")


def test_a_folder_of_this_machine(tmp_path: Path) -> None:
    storage = Storage(name="here", kind="local", config={"path": str(tmp_path)})
    (tmp_path / "-leading").write_text("x")
    assert all(stage.state == "ok" for stage in check.stages(storage))
    assert [row.name for row in browse.entries(storage, "")] == ["-leading"]
    (tmp_path / "home").mkdir()
    missing = Storage(name="gone", kind="local", config={"path": str(tmp_path / "gone")})
    assert [stage.state for stage in check.stages(missing)] == ["ok", "failed", "skipped", "skipped", "skipped"]


def test_a_folder_of_this_machine_needs_no_rclone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = tmp_path / "data"
    (top / "sub").mkdir(parents=True)
    (top / "sub" / "inner").write_text("12345")
    (top / os.fsdecode(b"caf\xe9")).write_text("1")
    (top / "link").symlink_to(top / "sub" / "inner")
    (top / "broken").symlink_to("nothing")
    monkeypatch.setenv("PATH", str(tmp_path))
    # so that no rclone is found beside Python either
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(MissingProgram):
        rclone.program()
    storage = Storage(name="here", kind="local", config={"path": str(top)})
    rows = browse.entries(storage, "/")
    assert [(row.name, row.folder, row.size) for row in rows] == [
        ("sub", True, None), ("caf\ufffd", False, 1), ("link", False, 5),
    ]  # fmt: skip
    assert all(datetime.fromisoformat(row.modified).tzinfo for row in rows)
    usage = browse.usage(storage, "")
    assert (usage.files, usage.size) == (2, 6)
    for wrong in ("none", "link"):
        with pytest.raises(NotFound, match="there is no folder"):
            browse.entries(storage, wrong)
    with pytest.raises(NotFound):
        browse.usage(storage, "none")


def test_errors_are_typed(keys: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    cases: list[tuple[Storage, type[TrainError]]] = [
        (bucket(keys, endpoint="http://127.0.0.1:9"), Unreachable),
        (bucket(keys), CredentialError),
    ]
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    for storage, kind in cases:
        with pytest.raises(kind):
            browse.entries(storage, "")


def test_permission_is_told_from_authentication_and_drive_says_what_it_needs(
    keys: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service answers 403 AccessDenied for a key without the permission.

    The test uses an error in place of that answer.
    """
    error = rclone.error_for(1, "api error AccessDenied: no", "box")
    assert (error.code, check.failed("write", error).cause) == ("forbidden", "permission")
    drive = Storage(name="g", kind="gdrive", config={"path": "data"})
    assert [(one.name, one.set) for one in credentials.listed(drive)] == [("G_DRIVE_TOKEN", False)]
    monkeypatch.setenv("GOOGLE_DRIVE_CREDENTIALS", "{}")
    assert [(one.name, one.set) for one in credentials.listed(drive)] == [("GOOGLE_DRIVE_CREDENTIALS", True)]
