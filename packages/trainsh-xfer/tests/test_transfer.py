"""Whole transfers on this machine, with the rsync that is installed."""

import itertools
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trainsh_base.errors import NotFound, TrainError, UsageError
from trainsh_xfer.model import Options, Result
from trainsh_xfer.transfer import Order, carry_out

ODD = ["-rf", "a b", "new\nline", "ü", "*", "[x]", "a'b\"c", "back\\slash", "$HOME", "~", "@gpu:x", "tail "]


def copy(source: Path | str, destination: Path | str, request: Any, **more: Any) -> Result:
    known = {key: more.pop(key) for key in list(more) if key in Options.__struct_fields__}
    order = Order(source=str(source), destination=str(destination), options=Options(**known), **more)
    return carry_out(order, request)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, and the contents of each."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_contents_or_folder_by_the_trailing_slash(source: Path, tmp_path: Path, request_: Any) -> None:
    (source / "link").symlink_to("a.txt")
    result = copy(f"{source}/", tmp_path / "x" / "y" / "contents", request_)
    assert tree(tmp_path / "x" / "y" / "contents") == tree(source)
    assert (result.files, result.bytes, result.deleted) == (3, 15, 0)
    assert (tmp_path / "x/y/contents/link").readlink() == Path("a.txt")
    copy(source, tmp_path / "folder", request_)
    assert tree(tmp_path / "folder" / "source") == tree(source)


@pytest.mark.parametrize("name", ODD, ids=repr)
def test_odd_names_arrive_as_they_are(name: str, tmp_path: Path, request_: Any) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_text(name)
    (tmp_path / "in" / "other").write_text("other")
    copy(f"./{name}", "../out/", request_, cwd=str(tmp_path / "in"), source_quoted=True)
    assert tree(tmp_path / "out") == {name: name.encode()}
    copy("out/", f"./{name}/{name}", request_, cwd=str(tmp_path), destination_quoted=True)
    assert tree(tmp_path / name / name) == {name: name.encode()}


def test_names_that_are_not_utf8(tmp_path: Path, request_: Any) -> None:
    name = os.fsdecode(b"\xff\xfe caf\xe9")
    (tmp_path / name).write_text("x")
    result = copy(tmp_path / name, tmp_path / "out" / name, request_)
    assert (tmp_path / "out" / name).read_text() == "x"
    assert result.source.endswith("\\xff\\xfe caf\\xe9")


def test_errors_about_names_that_are_not_utf8(tmp_path: Path, request_: Any) -> None:
    with pytest.raises(NotFound) as caught:
        copy(tmp_path / os.fsdecode(b"\xff"), tmp_path / "out", request_)
    assert msgspec.json.encode(caught.value.document())
    assert caught.value.message.endswith("/\\xff")


def test_wildcards_and_tilde(source: Path, home: Path, tmp_path: Path, request_: Any) -> None:
    (source / ".hidden").write_text("h")
    result = copy("*.txt", "~/got/", request_, cwd=str(source))
    assert tree(home / "got") == {"a.txt": b"one"}
    assert result.files == 1
    copy("~/got/*", f"{tmp_path}/all/", request_)
    assert tree(tmp_path / "all") == {"a.txt": b"one"}
    with pytest.raises(NotFound, match=r"\*\.none"):
        copy("*.none", tmp_path / "all", request_, cwd=str(source))
    with pytest.raises(NotFound):
        copy("*.txt", tmp_path / "all", request_, cwd=str(source), source_quoted=True)


def test_delete_exclude_include(source: Path, tmp_path: Path, request_: Any) -> None:
    out = tmp_path / "out"
    copy(f"{source}/", out, request_)
    (out / "stale.txt").write_text("old")
    (out / "stale.ckpt").write_text("old")
    (source / "a.txt").write_text("changed")
    result = copy(f"{source}/", out, request_, delete=True, exclude=["*.ckpt"])
    assert result.deleted == 1
    assert sorted(tree(out)) == ["a.txt", "b.ckpt", "stale.ckpt", "sub/c.txt"]
    assert (out / "a.txt").read_text() == "changed"
    copy(f"{source}/", tmp_path / "py", request_, exclude=["*"], include=["c.*"])
    assert tree(tmp_path / "py") == {"sub/c.txt": b"three"}


def test_a_dry_run_lists_and_changes_nothing(source: Path, tmp_path: Path, request_: Any) -> None:
    out = tmp_path / "out"
    copy(f"{source}/", out, request_)
    (source / "a.txt").write_text("changed")
    (source / "new").write_text("new")
    (out / "stale").write_text("old")
    before = tree(out)
    result = copy(f"{source}/", out, request_, delete=True, dry_run=True, move=True)
    assert {(change.action, change.path) for change in result.changes if change.kind == "file"} == {
        ("update", "a.txt"), ("create", "new"), ("delete", "stale"),
    }  # fmt: skip
    assert (tree(out), sorted(tree(source))) == (before, ["a.txt", "b.ckpt", "new", "sub/c.txt"])
    missing = copy(f"{source}/", tmp_path / "no" / "such" / "folder", request_, dry_run=True)
    assert missing.files == 4
    assert not (tmp_path / "no").exists()


def test_checksum_sees_what_size_and_time_hide(source: Path, tmp_path: Path, request_: Any) -> None:
    copy(f"{source}/", tmp_path / "out", request_)
    times = (source / "a.txt").stat()
    (tmp_path / "out" / "a.txt").write_text("eno")
    os.utime(tmp_path / "out" / "a.txt", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert copy(f"{source}/", tmp_path / "out", request_).files == 0
    assert copy(f"{source}/", tmp_path / "out", request_, checksum=True).files == 1
    assert (tmp_path / "out" / "a.txt").read_text() == "one"


def test_verify_finds_what_differs(source: Path, tmp_path: Path, request_: Any) -> None:
    out = tmp_path / "out"
    assert copy(f"{source}/", out, request_, verify=True).verified
    times = (source / "a.txt").stat()
    (out / "a.txt").write_text("eno")
    os.utime(out / "a.txt", ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(TrainError, match=r"after the copy 1 file differs: a\.txt"):
        copy(f"{source}/", out, request_, verify=True, move=True)
    assert (source / "a.txt").exists()


@pytest.mark.parametrize("verify", [False, True])
def test_move_leaves_what_was_excluded(source: Path, tmp_path: Path, request_: Any, verify: bool) -> None:
    result = copy(source, tmp_path / "out", request_, move=True, exclude=["*.ckpt"], verify=verify)
    assert result.files == 2
    assert sorted(tree(tmp_path / "out" / "source")) == ["a.txt", "sub/c.txt"]
    assert sorted(path.name for path in source.rglob("*")) == ["b.ckpt"]


def test_move_of_everything(source: Path, tmp_path: Path, request_: Any) -> None:
    copy(f"{source}/", tmp_path / "out", request_, move=True)
    assert list(source.iterdir()) == []
    copy(tmp_path / "out", tmp_path / "again", request_, move=True)
    assert not (tmp_path / "out").exists()


def test_storage_file(source: Path, tmp_path: Path, request_: Any) -> None:
    storages = {"out": f"file:{tmp_path}/store [1]"}
    copy(source / "a.txt", "@out:/models/m/", request_, storages=storages)
    assert tree(tmp_path / "store [1]") == {"models/m/a.txt": b"one"}
    copy("storage:out:models/m/*.txt", f"{tmp_path}/back/", request_, storages=storages)
    assert tree(tmp_path / "back") == {"a.txt": b"one"}


def test_progress_is_reported(tmp_path: Path, request_: Any) -> None:
    (tmp_path / "big").write_bytes(os.urandom(3_000_000))
    result = copy(tmp_path / "big", tmp_path / "out", request_, bwlimit=2000)
    seen = request_.of("progress")
    assert seen[-1]["unit"] == "bytes"
    assert all(left["done"] <= right["done"] for left, right in itertools.pairwise(seen))
    assert any("ETA" in event["message"] for event in seen)
    assert result.seconds > 0.5
    assert result.sent >= 3_000_000


@pytest.mark.parametrize("options", [{}, {"delete": True}, {"move": True}], ids=str)
def test_a_place_is_not_copied_onto_itself(source: Path, request_: Any, options: dict[str, bool]) -> None:
    before = tree(source)
    for destination in (f"{source}/", f"{source}/.", str(source), f"{source}/../source"):
        with pytest.raises(UsageError, match="the same"):
            copy(f"{source}/", destination, request_, **options)
    with pytest.raises(UsageError, match="the same"):
        copy(source, source.parent, request_, **options)
    with pytest.raises(UsageError, match="the same"):
        copy(source / "a.txt", source, request_, **options)
    assert tree(source) == before


def test_neither_side_may_swallow_the_other(source: Path, request_: Any) -> None:
    before = tree(source)
    with pytest.raises(UsageError, match="inside its source") as caught:
        copy(f"{source}/", source / "sub" / "deep", request_)
    assert "--exclude /sub" in caught.value.hint
    with pytest.raises(UsageError, match="would remove the source"):
        copy(f"{source}/sub/", source, request_, delete=True)
    with pytest.raises(UsageError, match="inside its source"):
        copy(f"{source}/", source / "sub" / "deep", request_, move=True, exclude=["/sub"])
    assert tree(source) == before
    copy(f"{source}/", source / "backup", request_, exclude=["/backup"])
    assert tree(source / "backup") == before


def test_delete_is_guarded(source: Path, home: Path, request_: Any) -> None:
    (home / "precious").write_text("p")
    for destination in ("~", "~/", str(home), str(home.parent), "/", "/etc/"):
        with pytest.raises(UsageError, match="would remove every file"):
            copy(f"{source}/", destination, request_, delete=True)
    copy(source, home, request_, delete=True)
    assert (home / "precious").exists()
    assert copy(f"{source}/", home, request_, delete=True, force=True, dry_run=True).deleted > 5
    assert copy(f"{source}/", home / "below", request_, delete=True).files == 3


@pytest.mark.parametrize(
    ("source", "said"),
    [("nothing", "no such file or folder: .*/nothing"), ("file/", "not a folder: .*/file/")],
)
def test_a_source_that_is_not_there(source: str, said: str, tmp_path: Path, request_: Any) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotFound, match=said):
        copy(source, "out/deep/", request_, cwd=str(tmp_path))
    assert not (tmp_path / "out").exists()


def test_a_destination_that_cannot_be_made(source: Path, tmp_path: Path, request_: Any) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(TrainError, match="cannot make the folder"):
        copy(source, tmp_path / "file" / "below" / "it", request_)


def test_special_files_are_left_and_said(source: Path, tmp_path: Path, request_: Any) -> None:
    os.mkfifo(source / "pipe")
    result = copy(f"{source}/", tmp_path / "out", request_)
    assert result.files == 3
    assert any("pipe" in warning for warning in result.warnings)


def test_an_unknown_folder_for_relative_paths(request_: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        copy("a", "b", request_, cwd=str(tmp_path / "none"))


def test_an_empty_pattern(source: Path, tmp_path: Path, request_: Any) -> None:
    with pytest.raises(UsageError, match="empty pattern"):
        copy(source, tmp_path / "out", request_, exclude=[""])


@pytest.mark.parametrize("again", [False, True])
def test_a_source_that_is_a_link_is_followed(source: Path, tmp_path: Path, request_: Any, again: bool) -> None:
    folder, file = tmp_path / "latest", tmp_path / "best.pt"
    folder.symlink_to(source, target_is_directory=True)
    file.symlink_to(next(path for path in sorted(source.rglob("*")) if path.is_file()))
    for _ in range(1 + again):
        copy(folder, tmp_path / "to", request_)
        copy(file, tmp_path / "to/", request_)
    assert tree(tmp_path / "to/latest") == tree(source)
    assert not (tmp_path / "to/latest").is_symlink()
    assert not (tmp_path / "to/best.pt").is_symlink() and (tmp_path / "to/best.pt").is_file()
