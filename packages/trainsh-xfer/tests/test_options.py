"""Every option of `train transfer` changes the command of every engine, or is refused, or is named in a warning."""

import inspect
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.errors import UsageError
from trainsh_xfer import cli
from trainsh_xfer.engines import rclone, rclone_filters, rsync
from trainsh_xfer.engines.rsync import Remote, Rsync
from trainsh_xfer.model import Options, Order
from trainsh_xfer.pairs import streams
from trainsh_xfer.pairs.route import Route
from trainsh_xfer.transfer import carry_out

NEW = Rsync("rsync", (3, 2, 7))
# Each option with a value, and the other options without which it would have no meaning.
OPTIONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "delete": (True, {}), "exclude": (["*.o"], {}), "include": (["a.o"], {"exclude": ["*.o"]}),
    "rules": (["- x"], {}), "dry_run": (True, {}), "checksum": (True, {}), "bwlimit": (500, {}),
    "move": (True, {}), "jobs": (3, {}), "as_is": (True, {}),
}  # fmt: skip
ELSEWHERE = {
    "source", "destination", "hosts", "storages", "cwd", "source_quoted", "destination_quoted",  # the ends
    "verify",  # runs a second command, see test_hosts.py and test_storages.py
    "force",  # lifts a guard, see test_guards.py and test_storages.py
    "exclude_from", "gitignore",  # become `rules`, see test_filters.py
}  # fmt: skip


def by_rsync(options: Options) -> list[str]:
    words = rsync.copy(NEW, options, ["box:/a/"], "/b", remote=Remote("ssh", "box"), foreign=True)
    route = Route(rsync=NEW, sources=["/a/"], destination="/b")
    return words + ([streams.why_one(route, options)] if streams.why_one(route, options) else [])


def by_rclone(options: Options) -> list[str]:
    return rclone.copy("rclone", options, "/a", "R:b", filters=rclone_filters.rules(options.filters, ""))


def test_the_table_has_every_option() -> None:
    assert OPTIONS.keys() | ELSEWHERE >= set(inspect.signature(cli.copy).parameters)
    assert OPTIONS.keys() | {"force", "compress"} == set(Options.__struct_fields__)


@pytest.mark.parametrize("engine", [by_rsync, by_rclone])
@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_no_option_is_ignored(
    name: str, engine: Any, source: Path, request_: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, needs = OPTIONS[name]
    changed = Options(**needs, **{name: value})
    if engine is by_rclone and name == "as_is":
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(variable, "x")
        with pytest.raises(UsageError, match="--as-is"):
            carry_out(Order(source=str(source), destination="s3:first/x", options=changed), request_)
        return
    assert engine(changed) != engine(Options(**needs))


@pytest.mark.parametrize(
    ("rules", "name", "out"),
    [
        (["- *.txt"], "a.txt", True), (["- /a.txt"], "a.txt", True), (["- **/a.*"], "a.txt", True),
        (["- a.txt/"], "a.txt", False), (["- sub/a.txt"], "a.txt", False), (["+ a*", "- *"], "a.txt", False),
    ],
)  # fmt: skip
def test_rules_for_a_file_that_is_copied_by_itself(rules: list[str], name: str, out: bool) -> None:
    assert rclone_filters.leaves_out(Options(rules=rules).filters, name) == out
