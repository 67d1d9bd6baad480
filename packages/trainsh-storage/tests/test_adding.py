"""`train-storage add` on a terminal: what it makes, what it asks, and what it says when it is interrupted."""

import sys
from pathlib import Path

import pytest

from trainsh_base.testing import Terminal
from trainsh_storage import draft, storages_file
from trainsh_storage.model import Storage

PROGRAM = str(Path(sys.executable).with_name("train-storage"))


def test_the_folder_of_a_new_storage_is_made(tmp_path: Path) -> None:
    screen = Terminal([PROGRAM, "add", "models", f"file:{tmp_path}/models"])
    screen.expect("Test it now? [Y/n]: ")
    screen.type("\r")
    assert screen.wait() == 0
    assert f"made the folder {tmp_path}/models" in " ".join(screen.text.split())
    assert "FAILED" not in screen.text
    assert not list((tmp_path / "models").iterdir())


def test_a_folder_is_made_only_where_its_parent_is(tmp_path: Path) -> None:
    for path, made in ((tmp_path / "no" / "such", False), (tmp_path, False), (tmp_path / "new", True)):
        storage = Storage(name="here", kind="local", config={"path": str(path)})
        assert bool(draft.make_folder(storage)) is made
        assert draft.absent_folder(storage) == ("" if path.exists() else str(path))
    assert (tmp_path / "new").is_dir() and not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("keys", "said", "added"),
    [
        ({}, "nothing was added\r\n", []),
        ({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, "box was added\r\n", ["box"]),
    ],
    ids=["asked for a key", "offered a test"],
)
def test_an_interrupt_says_whether_the_storage_was_added(
    keys: dict[str, str], said: str, added: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    screen = Terminal([PROGRAM, "add", "box", "s3:bucket"])
    screen.expect("Test it now? [Y/n]: " if keys else "BOX_ACCESS_KEY_ID (input is hidden; empty: later): ")
    screen.type("\x03")
    assert screen.wait() == 130
    assert said in screen.text
    assert [one.name for one in storages_file.load()] == added
