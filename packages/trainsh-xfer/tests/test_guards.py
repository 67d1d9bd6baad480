"""Which copies and deletions are refused because of their paths."""

import pytest

from trainsh_base.errors import UsageError
from trainsh_xfer.endpoints.guards import check_deletion, check_far_overlap
from trainsh_xfer.model import Options

HOMES = ["/data/people/me"]


@pytest.mark.parametrize(
    "folder",
    [
        "/",
        "/etc",
        "/tmp/",
        "/home",
        "/home/bob",
        "/Users/bob",
        "/root",
        "/data/people/me",
        "/data",
        "~",
        "~bob",
        ".",
    ],
)
def test_deletion_in_a_place_where_everything_lies(folder: str) -> None:
    with pytest.raises(UsageError, match="would remove every file"):
        check_deletion(["/a/"], folder, HOMES)
    check_deletion(["/a"], folder, HOMES)


@pytest.mark.parametrize(
    "folder", ["/workspace", "/backup/", "/home/bob/x", "~/x", "x", "/etc/x", "/data/people/you"]
)
def test_deletion_elsewhere(folder: str) -> None:
    check_deletion(["/a/", "/b/."], folder, HOMES)


@pytest.mark.parametrize(
    ("source", "destination", "options", "said"),
    [
        ("data", ".", {}, "the same"),
        ("data/", "./data", {}, "the same"),
        ("/x/a.txt", "/x/", {}, "the same"),
        ("/x/a.txt", "/x/a.txt", {}, "the same"),
        ("~/data/", "~/data", {}, "the same"),
        ("data", "data/sub", {}, "inside its source"),
        ("data/", "data/sub", {"exclude": ["x"], "move": True}, "inside its source"),
        ("data/sub/", "data", {"delete": True}, "would remove the source"),
        ("data/", "data/sub", {"exclude": ["/sub"]}, ""),
        ("data", "data2", {"delete": True}, ""),
        ("data/sub", "data", {"exclude": ["x"]}, "the same"),
        ("data/sub/", "data", {}, ""),
    ],
    ids=str,
)
def test_overlaps_on_one_host(source: str, destination: str, options: dict[str, object], said: str) -> None:
    asked = Options(**options)  # type: ignore[arg-type]
    if not said:
        check_far_overlap(source, destination, asked)
        return
    with pytest.raises(UsageError, match=said):
        check_far_overlap(source, destination, asked)
