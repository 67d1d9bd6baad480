"""rsync's argument list for each option."""

from typing import Any

import pytest

from trainsh_xfer.engines.rsync import Remote, Rsync, comparison, copy, read_version
from trainsh_xfer.model import Options

NEW = Rsync("/usr/bin/rsync", (3, 2, 7))
OLD = Rsync("/usr/bin/rsync", (2, 6, 9))
APPLE = Rsync("/usr/bin/rsync", (2, 6, 9), open=True)
BASE = ["/usr/bin/rsync", "-rlpt", "--partial-dir=.train-partial", "--out-format=%i %l %b %n"]
REAL = [*BASE, "--no-human-readable", "--info=progress2", "--outbuf=N"]
END = ["--", "/a", "/b"]

TABLE: list[tuple[str, Rsync, dict[str, Any], list[str]]] = [
    ("plain", NEW, {}, [*REAL, *END]),
    ("plain, 2.6.9", OLD, {}, [*BASE, "--progress", *END]),
    ("plain, openrsync", APPLE, {}, [*BASE, "--progress", *END]),
    ("delete", NEW, {"delete": True}, [*REAL, "--delete-delay", *END]),
    ("delete, 2.6.9", OLD, {"delete": True}, [*BASE, "--progress", "--delete", *END]),
    ("dry run", NEW, {"dry_run": True}, [*BASE, "--no-human-readable", "--dry-run", *END]),
    ("dry run, 2.6.9", OLD, {"dry_run": True}, [*BASE, "--dry-run", *END]),
    ("checksum", NEW, {"checksum": True}, [*REAL, "--checksum", *END]),
    ("bwlimit", NEW, {"bwlimit": 500}, [*REAL, "--bwlimit=500", *END]),
    ("move", NEW, {"move": True}, [*REAL, "--remove-source-files", *END]),
    ("exclude", NEW, {"exclude": ["*.o", "- x"]}, [*REAL, "--filter=- *.o", "--filter=- - x", *END]),
    (
        "include wins over exclude", NEW, {"exclude": ["*.o"], "include": ["keep.o"]},
        [*REAL, "--filter=+ keep.o", "--filter=- *.o", *END],
    ),
    (
        "only what is included", NEW, {"exclude": ["*"], "include": ["*.py"]},
        [*REAL, "--filter=+ *.py", "--filter=+ */", "--filter=- *", "--prune-empty-dirs", *END],
    ),
    (
        "only what is included, openrsync", APPLE, {"exclude": ["*"], "include": ["*.py"]},
        [*BASE, "--progress", "--filter=+ *.py", "--filter=+ */", "--filter=- *", *END],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "program", "options", "words"), TABLE, ids=[row[0] for row in TABLE])
def test_words(name: str, program: Rsync, options: dict[str, Any], words: list[str]) -> None:
    assert copy(program, Options(**options), ["/a"], "/b") == words


def test_a_local_copy_that_goes_on_reads_what_is_there() -> None:
    assert "--no-whole-file" in copy(NEW, Options(), ["/a"], "/b", resume=True)
    remote = Remote("ssh -p 1", "box")
    assert "--no-whole-file" not in copy(NEW, Options(), ["/a"], "box:/b", remote=remote, resume=True)


def test_the_remote_shell_comes_before_the_paths() -> None:
    words = copy(NEW, Options(), ["/a"], "box:/b", remote=Remote("ssh -p 1", "box", "mkdir -p /x && rsync"))
    assert words[len(REAL) :] == [
        "-e",
        "ssh -p 1",
        "--timeout=600",
        "--rsync-path=mkdir -p /x && rsync",
        "--",
        "/a",
        "box:/b",
    ]


def test_verifying_changes_nothing() -> None:
    words = copy(NEW, comparison(Options(delete=True, move=True, exclude=["x"], bwlimit=5)), ["/a"], "/b")
    assert words == [*BASE, "--no-human-readable", "--filter=- x", "--dry-run", "--checksum", *END]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("rsync  version 3.5.0  protocol version 32\n", Rsync("p", (3, 5, 0))),
        ("rsync  version v3.2.3  protocol version 31\n", Rsync("p", (3, 2, 3))),
        ("rsync  version 2.6.9  protocol version 29\n", Rsync("p", (2, 6, 9))),
        ("openrsync: protocol version 29\nrsync version 2.6.9 compatible\n", Rsync("p", (2, 6, 9), open=True)),
        ("something else\n", None),
    ],
)
def test_versions(text: str, found: Rsync | None) -> None:
    assert read_version("p", text) == found
