"""rsync's output, in whole lines and in chunks that break lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsh_xfer.engines.rsync_output import Progress, Tally, as_text
from trainsh_xfer.model import Change

REAL = (
    b"created directory dst\ncd+++++++++ 4096 0 ./\n"
    b"\r              0   0%    0.00kB/s    0:00:00 (xfr#1, to-chk=6/8)\n>f+++++++++ 0 39 -dash\n"
    b"\r          32768   0%    0.00kB/s    0:00:00  \r      256212992  85%  244.31MB/s    0:00:00  "
    b"\r      300000000  99%  249.41MB/s    1:02:03 (xfr#2, to-chk=5/8)\n>f..t...... 300000000 300036663 big\n"
    b"cL+++++++++ 3 0 link\n.d..t...... 4096 0 sub/\n*deleting   0 0 old/\n*deleting   0 0 new\\#012line\n"
    b"<f.st...... 7 9 a  b\nskipping non-regular file \"pipe\"\n"
)  # fmt: skip

CHANGES = [
    Change(action="create", kind="folder", path="./", size=0),
    Change(action="create", kind="file", path="-dash", size=0),
    Change(action="update", kind="file", path="big", size=300000000),
    Change(action="create", kind="link", path="link", size=0),
    Change(action="attributes", kind="folder", path="sub/", size=0),
    Change(action="delete", kind="folder", path="old/", size=0),
    Change(action="delete", kind="file", path="new\nline", size=0),
    Change(action="update", kind="file", path="a  b", size=7),
]


@given(st.lists(st.integers(0, len(REAL)), max_size=20))
def test_lines_torn_anywhere_count_the_same(cuts: list[int]) -> None:
    tally = Tally(keep=True)
    at = 0
    for cut in [*sorted(cuts), len(REAL)]:
        tally.feed(REAL[at:cut])
        at = cut
    tally.finish()
    assert tally.changes == CHANGES
    assert (tally.files, tally.bytes, tally.sent, tally.deleted) == (3, 300000007, 39 + 300036663 + 9, 2)
    assert tally.remarks == ['skipping non-regular file "pipe"']


def test_a_file_that_rsync_copies_again_counts_once() -> None:
    tally = Tally(keep=False)
    tally.feed(b">f+++++++++ 40 20 big\n>f+++++++++ 2 2 small\n>f.st...... 40 41 big\n")
    assert (tally.files, tally.bytes, tally.sent) == (2, 42, 63)


def test_a_real_run_keeps_counts_alone() -> None:
    tally = Tally(keep=False)
    tally.feed(REAL)
    assert (tally.files, tally.changes) == (3, [])


def test_progress_of_the_whole() -> None:
    seen: list[Progress] = []
    Tally(keep=False, on_progress=seen.append).feed(REAL)
    assert seen[-2:] == [
        Progress(256212992, 301427049, "244.31 MiB/s, ETA 0:00", 1),
        Progress(300000000, 303030303, "249.41 MiB/s, in 1:02:03", 1),
    ]


def test_progress_is_seen_before_its_line_ends() -> None:
    seen: list[Progress] = []
    tally = Tally(keep=False, on_progress=seen.append)
    tally.feed(b"\r       20709376   6%   19.58MB/s    0:00:13  ")
    assert [progress.done for progress in seen] == [20709376]
    tally.feed(b"\r       41222144  13%   19.55MB/s    0:00:12  ")
    assert [progress.done for progress in seen] == [20709376, 41222144]


def test_progress_of_each_file_is_added_up() -> None:
    seen: list[Progress] = []
    tally = Tally(keep=False, whole=False, on_progress=seen.append)
    tally.feed(b"\r  1,000 100%  1.00MB/s  0:00:00 (xfer#1, to-check=1/3)\n>f+++++++ 1000 1010 a\n")
    tally.feed(b"\r  500  50%  1.00MB/s  0:00:00  ")
    assert [(progress.done, progress.total) for progress in seen] == [(1000, 0), (1500, 0)]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        (b"tab\\#011", "tab\t"),
        (b"\\#303\\#274", "ü"),
        ("ü".encode(), "ü"),
        (b"back\\#134slash", "back\\slash"),
        (b"lone\\slash", "lone\\slash"),
        (b"\xff", "\\xff"),
    ],
)
def test_names(raw: bytes, text: str) -> None:
    assert as_text(raw) == text


def test_many_remarks_are_counted() -> None:
    tally = Tally(keep=False)
    for number in range(60):
        tally.feed(f'skipping non-regular file "{number}"\n'.encode())
    assert len(tally.remarks) == 51
    assert tally.remarks[-1] == "and 10 more such messages"


def test_deletions_as_openrsync_says_them() -> None:
    tally = Tally(keep=True)
    tally.feed(b"deleting a b/\ndeleting x\n")
    assert tally.deleted == 2
    assert [(change.kind, change.path) for change in tally.changes] == [("folder", "a b/"), ("file", "x")]


@pytest.mark.parametrize("name", ["  1  2% 3.0MB/s 0:00:01", ">f+++++++++ 1 2 x", "*deleting   0 0 y", "-> z"])
def test_a_name_that_looks_like_output_is_a_name(name: str) -> None:
    tally = Tally(keep=True)
    tally.feed(f">f+++++++++ 5 6 {name}\n".encode())
    assert tally.changes == [Change(action="create", kind="file", path=name, size=5)]
