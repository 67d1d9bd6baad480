"""The sessions of many machines in one list."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from trainsh_base.errors import Unreachable
from trainsh_base.request import Request, current, serve_in_this_thread
from trainsh_tmux.remote.host import Host
from trainsh_tmux.session.listing import everywhere

LINE = "session train w open 1 no 3 0 -"


class Log(Request):
    """Keeps what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, kind: str, **data: Any) -> None:
        self.lines.append(data["message"])


@pytest.fixture
def log() -> Iterator[Log]:
    before, request = current(), Log()
    serve_in_this_thread(request)
    yield request
    serve_in_this_thread(before)


def machine(name: str, *, node: str = "n", problem: str = "") -> Host:
    def ask(_body: str, **_more: object) -> list[str]:
        if problem:
            raise Unreachable(problem)
        return [LINE]

    return cast(Host, SimpleNamespace(machine=name, node=node, root="/r", ask=ask))


def test_a_machine_with_two_names_is_listed_once(log: Log) -> None:
    hosts = {"gpu": machine("m"), "again": machine("m"), "other-node": machine("m", node="o"), "old": machine("")}
    assert [row.host for row in everywhere(list(hosts), hosts.__getitem__)] == ["gpu", "other-node", "old"]
    assert log.lines == ["again is the same machine as gpu"]


def test_a_machine_that_cannot_be_asked_is_named_once(log: Log) -> None:
    hosts = {
        "gpu": machine("m"),
        "g": machine("", problem="cannot find g: no such name"),
        "u": machine("", problem="x"),
    }
    assert [row.host for row in everywhere(list(hosts), hosts.__getitem__)] == ["gpu"]
    assert sorted(log.lines) == ["cannot find g: no such name", "u: x"]
