"""To which place each endpoint resolves: placeholders, storages, homes, relative paths."""

from pathlib import Path

import pytest

from trainsh_base.errors import MissingProgram, TrainError, UsageError
from trainsh_base.remote.target import Target
from trainsh_xfer.endpoints.endpoint_text import parse
from trainsh_xfer.endpoints.places import Place, find

HOSTS = {"gpu": "root@10.0.0.1", "here": "local", "later": "placeholder"}
STORAGES = {"out": "file:/srv/out", "home": "file:~/store", "far": "r2:bucket", "later": "placeholder"}


def far(spec: str) -> Target:
    return Target.local() if spec == "local" else Target(name=spec, kind="ssh", argv=["ssh", spec])


def place(text: str, cwd: str = "/work", literal: bool = False) -> Place:
    endpoint = parse(text, HOSTS, STORAGES)
    found = find(
        endpoint, hosts=HOSTS, storages=STORAGES, cwd=cwd, literal=literal, text=text, resolve=far, remote="SRC"
    )
    assert isinstance(found, Place)
    return found


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("a/b", "", "/work/a/b"),
        ("a/b/", "", "/work/a/b/"),
        (".", "", "/work/."),
        ("/abs", "", "/abs"),
        ("@here:data", "", "/work/data"),
        ("@gpu:data", "root@10.0.0.1", "data"),
        ("@gpu:~/data", "root@10.0.0.1", "~/data"),
        ("@unknown:/x", "unknown", "/x"),
        ("@out:/models/m/", "", "/srv/out/models/m/"),
        ("@out:models", "", "/srv/out/models"),
        ("@out:~/x", "", "/srv/out/~/x"),
        ("@out:/", "", "/srv/out/"),
    ],
)
def test_where_it_is(text: str, host: str, path: str) -> None:
    found = place(text)
    assert (found.target.name if found.target else "", found.path) == (host, path)


def test_tilde_is_a_home_unless_quoted(home: Path) -> None:
    assert place("~/x").path == f"{home}/x"
    assert place("~").path == str(home)
    assert place("~/x", literal=True).path == "/work/~/x"
    assert place("~nobody-of-that-name/x").path == "/work/~nobody-of-that-name/x"
    assert place("@home:/x").path == f"{home}/store/x"


def test_wildcards_never_lie_in_a_folder_that_was_not_written(tmp_path: Path) -> None:
    found = place("*.txt", cwd="/work/[a]")
    assert found.path[: found.fixed] == "/work/[a]/"


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("host:later:/x", UsageError, "host later is a placeholder"),
        ("storage:later:/x", UsageError, "storage later is a placeholder"),
        ("@out:/a/../../etc", UsageError, r"must not contain \.\."),
    ],
)
def test_refused(text: str, kind: type[TrainError], said: str) -> None:
    with pytest.raises(kind, match=said):
        place(text)


@pytest.mark.parametrize("text", ["@far:/x", "storage:none:/x", "s3:bucket/x"])
def test_without_train_storage_it_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # as on a machine where it is not installed
    monkeypatch.setattr("trainsh_base.system.spawn.tool_path", lambda _: None)
    with pytest.raises(MissingProgram, match="needs train-storage"):
        place(text)
