"""Tests train host browse: the listing over the sftp of a real sshd, and the screen in a real terminal of
80 by 24.
"""

import base64
import json
import os
import re
import struct
import sys
import time
import zlib
from pathlib import Path

import pytest
from trainsh_world import World, wait_until
from world_sshd import Sshd

sys.path.insert(0, str(Path(__file__).parent))

from screens import Screen
from trainsh_base.errors import TrainError
from trainsh_base.request import current
from trainsh_host.browse.files import LocalFiles, files_of, remove_all
from trainsh_host.browse.model import File
from trainsh_host.browse.preview import content, pasted, preview
from trainsh_host.browse.sftp import Sftp
from trainsh_host.browse.tree import Tree
from trainsh_host.ways.resolve import resolve

HOSTILE = [
    b"\x1b]0;owned\x07\x1b[2J", b"two\nlines", b"-rf", b"$(touch owned)", b"`touch owned`", b"; touch owned",
    b"not-\xff-utf8", "\u202eevil".encode(), b" blanks ", b"'quo\"te\\", "grüße 你好.txt".encode(),
]  # fmt: skip
PNG = (
    b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + struct.pack(">IIBBBBB", 640, 480, 8, 2, 0, 0, 0)
    + struct.pack(">I", zlib.crc32(b"")) + b"\0" * 20
)  # fmt: skip


def machine(world: World, name: str = "box") -> Sshd:
    """A machine whose files have fixed dates."""
    box = world.sshd(name)
    world.host(box)
    (box.home / "runs" / "a").mkdir(parents=True)
    (box.home / "train.py").write_text("import torch\n\n\tprint('\x1b[31mred')\n" + "x = 1\n" * 3)
    (box.home / "plot.png").write_bytes(PNG)
    (box.home / "model.bin").write_bytes(b"\0" * 3_000_000)
    (box.home / "latest").symlink_to("runs")
    (box.home / "runs" / "a" / "log.txt").write_text("epoch 1\n")
    for path in sorted(box.home.rglob("*"), reverse=True):
        os.utime(path, (1700000000, 1700000000), follow_symlinks=False)
    return box


def test_the_listing_as_json_and_as_a_table(world: World) -> None:
    box = machine(world)
    rows = json.loads(world.run("train-host", "browse", "box", "--json").out)
    assert [(row["name"], row["kind"]) for row in rows] == [
        ("runs", "folder"), ("latest", "link"), ("model.bin", "file"), ("plot.png", "file"), ("train.py", "file"),
    ]  # fmt: skip
    assert rows[2] == {
        "name": "model.bin", "kind": "file", "size": 3_000_000, "modified": 1700000000, "mode": "-rw-r--r--",
    }  # fmt: skip
    for path in ("runs/a", "~/runs/a", str(box.home / "runs" / "a")):
        assert json.loads(world.run("train-host", "browse", "box", path, "--json").out)[0]["name"] == "log.txt"
    assert re.search(
        r"^model.bin +2.9 MiB +2023-11-1\d", world.run("train-host", "browse", "box").out, re.MULTILINE
    )
    done = world.run("train-host", "browse", "box", "nowhere", "--json", check=False)
    assert done.status == 3 and json.loads(done.err)["error"]["code"] == "no_file"
    local = json.loads(world.run("train-host", "browse", "local", str(box.home), "--json").out)
    assert local == rows


def test_hostile_names_neither_break_the_listing_nor_reach_a_terminal(world: World) -> None:
    box = world.sshd("box")
    world.host(box)
    for name in HOSTILE:
        Path(os.fsdecode(os.fsencode(box.home) + b"/" + name)).write_bytes(name)
    done = world.run("train-host", "browse", "box", "--json")
    rows = json.loads(done.out)
    found = {base64.b64decode(row["name_base64"]) if "name_base64" in row else row["name"].encode() for row in rows}
    assert found == set(HOSTILE)
    shown = world.run("train-host", "browse", "box").out
    for text in (done.out, shown):
        assert "\x1b" not in text and "\u202e" not in text and "\x07" not in text
    assert len(shown.splitlines()) == len(HOSTILE) + 1 and "two\\nlines" in shown and "not-\\xff-utf8" in shown
    target = resolve("box")
    with files_of(target, current()) as files:
        home = files.real_path(b".")
        for batch in files.folder(home):
            for file in batch:
                path = home + b"/" + file.name
                assert files.read(path, 100) == file.name and files.stat(path).size == len(file.name)
                assert all(line.isprintable() for line in preview(files, file, path))
                assert remove_all(files, path, file.kind) == 1
        assert [file for batch in files.folder(home) for file in batch] == []


def test_removing_a_folder_does_not_follow_links(world: World) -> None:
    box = machine(world)
    keep = box.folder / "keep"
    keep.mkdir()
    (keep / "precious").touch()
    (box.home / "runs" / "link").symlink_to(keep)
    with files_of(resolve("box"), current()) as files:
        assert remove_all(files, os.fsencode(box.home / "runs"), "folder") == 4
    assert (keep / "precious").exists() and not (box.home / "runs").exists()


def test_a_machine_without_sftp_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    box = world.sshd("box")
    world.host(box)
    lines = box._config()
    monkeypatch.setattr(box, "_config", lambda: [line for line in lines if not line.startswith("Subsystem")])
    box.restart()
    done = world.run("train-host", "browse", "box", "--json", check=False)
    assert done.status == 7 and "box has no sftp" in done.err and "openssh-sftp-server" in done.err, done.err
    reader, writer = os.pipe()
    os.write(writer, b"Welcome to this machine\n")
    with Path(os.devnull).open("wb") as sink, pytest.raises(TrainError, match="something other than sftp"):
        Sftp(reader, sink.fileno(), "box")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"/a/b.txt", "/a/b.txt"), (b"/a b", "'/a b'"), (b"/a\nb", "$'/a\\x0ab'"), (b"/\x1b[2J", "$'/\\x1b[2J'"),
        (b"/it's", "'/it'\"'\"'s'"), (b"/\xff'", "$'/\\xff\\x27'"), (b"/$(x)", "'/$(x)'"),
    ],
)  # fmt: skip
def test_a_path_to_paste_is_harmless(name: bytes, text: str) -> None:
    assert pasted(name) == text and text.isprintable()


@pytest.mark.parametrize(
    ("data", "first"),
    [
        (PNG, "PNG image, 640 x 480"), (b"\x7fELF\0\0", "binary: 7f 45 4c 46 00 00"), (b"a\x1b[31m\tb\r\nc", "a\\x1b[31m  b"),
        (b"GIF89a\x0a\0\x14\0\0\0\0", "GIF image, 10 x 20"), (b"\x89PNG broken", "\ufffdPNG broken"),
    ],
)  # fmt: skip
def test_what_is_told_of_contents(data: bytes, first: str) -> None:
    assert content(data, len(data))[0] == first


def test_a_tree_sorts_filters_and_opens() -> None:
    tree = Tree(b"/r")
    tree.root.add(
        [
            File(b"b", 0o100644, 2, 30),
            File(b"A", 0o100644, 3, 10),
            File(b".x", 0o100644, 1, 20),
            File(b"d", 0o40755),
        ]
    )
    names = lambda: [node.file.name for node in tree.rows()]  # noqa: E731
    assert names() == [b"d", b".x", b"A", b"b"]
    tree.next_order()
    assert names() == [b"d", b"A", b"b", b".x"]
    tree.next_order()
    assert names() == [b"d", b"b", b".x", b"A"]
    tree.hidden = False
    assert names() == [b"d", b"b", b"A"]
    folder = tree.rows()[0]
    folder.open = True
    folder.add([File(b"inside", 0o100644)])
    assert names() == [b"d", b"inside", b"b", b"A"] and tree.rows()[1].path == b"/r/d/inside"
    tree.filter = "IN"
    assert names() == [b"d", b"inside"]


def test_the_screen(world: World) -> None:
    box = machine(world)
    here = world.home / "down"
    here.mkdir()
    (world.home / "up.txt").write_text("up\n")
    with Screen(world, f"cd {world.home} && TZ=UTC train-host browse box") as screen:
        screen.shows("5 by name")
        screen.keys("End")
        text = screen.shows("import torch")
        assert "\x1b[31mred" not in screen.colours() and "\\x1b[31mred" in text
        screen.is_golden("browse", (re.escape(str(box.home)), "/HOME"))
        screen.keys("Up")
        screen.shows("PNG image, 640 x 480")
        screen.keys("Home", "Right")
        screen.shows("▾ runs")
        screen.keys("Down", "Right")
        screen.shows("log.txt")
        screen.keys("Down", "c")
        screen.shows("copied: /")
        assert screen.buffer() == f"{box.home}/runs/a/log.txt"
        screen.keys("d")
        screen.shows("Download log.txt into")
        screen.type("down")
        screen.keys("Enter")
        screen.shows("copied 1 file")
        assert (here / "log.txt").read_text() == "epoch 1\n"
        screen.keys("u")
        screen.shows("Upload into")
        screen.type("up.txt")
        screen.keys("Enter")
        screen.shows("up.txt")
        wait_until(lambda: (box.home / "runs/a/up.txt").exists(), "the upload")
        screen.keys("?")
        screen.shows("The mouse works too")
        screen.is_golden("browse-keys")
        screen.keys("q")
        screen.lacks("The mouse")
        screen.keys("C-c")
        screen.shows("ended 0")


def test_deleting_filtering_and_the_mouse(world: World) -> None:
    box = machine(world)
    with Screen(world, "train-host browse box") as screen:
        screen.shows("5 by name")
        screen.keys("Home", "x")
        screen.shows("Delete the folder runs")
        screen.is_golden("browse-delete", (re.escape(str(box.home)), "/HOME"))
        screen.keys("n")
        screen.lacks("Delete the folder")
        assert (box.home / "runs").exists()
        screen.keys("x")
        screen.shows("y: yes")
        screen.keys("y")
        screen.shows("deleted runs (3 files and folders)")
        assert not (box.home / "runs").exists()
        screen.keys("/")
        screen.shows("names with")
        screen.type("plot")
        screen.shows("showing 1 with 'plot'")
        screen.keys("Enter", "Escape")
        screen.lacks("showing 1")
        screen.type("\x1b[<0;5;3M\x1b[<0;5;3m")  # a click of the mouse on the third line
        screen.shows("3,000,000 bytes")
        screen.keys("q")
        screen.shows("ended 0")


def test_fifty_thousand_entries_open_at_once(world: World) -> None:
    box = world.sshd("box")
    world.host(box)
    big = box.home / "big"
    big.mkdir()
    for number in range(50_000):
        os.close(os.open(f"{big}/f{number:05d}", os.O_CREAT, 0o644))
    with Screen(world, "train-host browse box") as screen:
        screen.shows("1 by name")
        began = time.monotonic()
        screen.keys("Enter")
        screen.shows("0 B")
        first = time.monotonic() - began
        screen.keys("End")
        screen.shows("50,000 by name", 60)
        screen.lacks("reading")
        screen.keys("End")
        screen.shows("f49999")
        screen.keys("Home")
        screen.shows("f00000")
        assert first < 30, f"the first rows came after {first:.1f} s"
    with files_of(resolve("box"), current()) as files:
        assert sum(map(len, files.folder(os.fsencode(big)))) == 50_000
    assert sum(map(len, LocalFiles().folder(os.fsencode(big)))) == 50_000


def test_a_hostile_name_on_the_screen(world: World) -> None:
    box = world.sshd("box")
    world.host(box)
    (box.home / "\x1b]0;owned\x07\x1b[2J\nx").touch()
    with Screen(world, "train-host browse box") as screen:
        text = screen.shows("\\x1b]0;owned\\x07")
        assert "1 by name" in text
        screen.keys("x")
        screen.shows("Delete \\x1b]0;owned\\x07\\x1b[2J\\nx on box?")
        screen.keys("y")
        screen.shows("0 by name")
