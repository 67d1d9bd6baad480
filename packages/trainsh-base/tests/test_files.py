"""Files that are written completely or not at all, locks, and the paths of train's files."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from trainsh_base.errors import Conflict
from trainsh_base.system import paths
from trainsh_base.system.files import locked, write_atomic


def test_a_new_file_is_private_and_so_are_the_folders_made_for_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_atomic(path, "text")
    assert path.read_text() == "text"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == path.parent.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    before = path.stat().st_ino
    write_atomic(path, b"new", mode=0o644)
    assert path.read_bytes() == b"new" and path.stat().st_ino != before
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_and_what_it_names_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real" / "file")
    write_atomic(link, "one")
    write_atomic(link, "two")
    assert link.is_symlink() and (tmp_path / "real" / "file").read_text() == "two"


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(TypeError):
        write_atomic(path, 5)  # type: ignore[arg-type]
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_place_of_the_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError):
        write_atomic(tmp_path / "file", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


WRITER = """
import sys
import tempfile
from pathlib import Path
from trainsh_base.system.files import write_atomic
print(flush=True)
while True:
    for letter in b"ab":
        write_atomic(Path(sys.argv[1]), bytes([letter]) * 100_000)
"""


def test_a_writer_killed_at_any_instant_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a" * 100_000)
    for delay in (0.0, 0.003, 0.006, 0.01, 0.02):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        assert writer.stdout
        writer.stdout.readline()
        time.sleep(delay)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        data = path.read_bytes()
        assert len(data) == 100_000 and len(set(data)) == 1


def test_one_lock_holder_at_a_time_among_threads_and_processes(tmp_path: Path) -> None:
    path = tmp_path / "count"
    path.write_text("0")
    code = (
        "import sys\nfrom pathlib import Path\nfrom trainsh_base.system.files import locked\npath = Path(sys.argv[1])\n"
        "for _ in range(20):\n    with locked(path):\n        path.write_text(str(int(path.read_text()) + 1))\n"
    )

    def count(_number: int) -> None:
        for _ in range(20):
            with locked(path):
                path.write_text(str(int(path.read_text()) + 1))

    children = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(count, range(3)))
    assert [child.wait(60) for child in children] == [0, 0, 0]
    assert path.read_text() == "120"


def test_a_lock_that_is_not_had_in_time_is_a_conflict(tmp_path: Path) -> None:
    path = tmp_path / "file"
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with locked(path):
            held.set()
            done.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    with pytest.raises(Conflict, match=f"{path} is being changed by another train process"), locked(path, 0.05):
        raise AssertionError("two holders")
    done.set()
    holder.join()
    with locked(path, 1):
        pass


def test_a_lock_is_free_again_after_an_error_and_not_inherited(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(ZeroDivisionError), locked(path):
        raise ZeroDivisionError
    with locked(path, 1):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    with locked(path, 1):
        child.kill()
        child.wait()


HOMES = [
    ({"TRAINSH_HOME": "/t"}, "/t", "/t/state"),
    ({"TRAINSH_HOME": "~/t"}, "/h/t", "/h/t/state"),
    ({"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"}, "/c/tmux-trainsh", "/s/tmux-trainsh"),
    ({}, "/h/.config/tmux-trainsh", "/h/.local/state/tmux-trainsh"),
    ({"TRAINSH_HOME": "", "XDG_CONFIG_HOME": ""}, "/h/.config/tmux-trainsh", "/h/.local/state/tmux-trainsh"),
]


@pytest.mark.parametrize(("environment", "config", "state"), HOMES, ids=["own", "tilde", "xdg", "default", "empty"])
def test_where_things_are(
    environment: dict[str, str], config: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TRAINSH_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/h", **environment}.items():
        monkeypatch.setenv(name, value)
    assert str(paths.config_home()) == config
    assert str(paths.config_file()) == f"{config}/config.toml"
    assert (str(paths.jobs_home()), str(paths.recipes_home())) == (f"{config}/jobs", f"{config}/recipes")
    assert str(paths.state_home()) == state


def test_the_folder_for_sockets_is_short_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/a/very/long/path/that/no/socket/would/fit/into/on/some/systems")
    assert str(paths.runtime_home()) == f"/tmp/train-{os.getuid()}"
    assert paths.runtime_home().stat().st_mode & 0o777 == 0o700


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("TRAINSH_HOME", str(folder / "home"))
    yield folder
    shutil.rmtree(folder)


def test_a_folder_for_sockets_that_is_not_ours_is_passed_over(short: Path) -> None:
    (short / "train").symlink_to("/tmp")
    assert str(paths.runtime_home()) == f"/tmp/train-{os.getuid()}"
    if os.getuid() == 0:
        (short / "train").unlink()
        (short / "train").mkdir(mode=0o700)
        os.chown(short / "train", 12345, 12345)
        assert str(paths.runtime_home()) == f"/tmp/train-{os.getuid()}"


def test_a_folder_for_sockets_that_is_read_only_is_passed_over(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert paths.runtime_home() == short / "train"
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not path.startswith(str(short)) and allowed(path, mode))
    assert str(paths.runtime_home()) == f"/tmp/train-{os.getuid()}"


def test_no_folder_for_sockets_at_all_is_a_typed_error(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "_ours_alone", lambda folder: False)  # this user's real /tmp/train-UID may be in use
    with pytest.raises(Conflict) as caught:
        paths.runtime_home()
    assert caught.value.code == "no_runtime_folder" and "XDG_RUNTIME_DIR" in caught.value.hint


def test_a_folder_for_sockets_that_others_could_write_to_is_closed_and_cleared(short: Path) -> None:
    folder = short / "train"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "mine").touch()
    (folder / "planted").touch()
    if os.getuid() == 0:
        os.chown(folder / "planted", 12345, 12345)
    assert paths.runtime_home() == folder and folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "mine").exists() and (folder / "planted").exists() == (os.getuid() != 0)
