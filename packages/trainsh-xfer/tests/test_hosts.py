"""Transfers to and from a host, with a real sshd and a real rsync on both sides (tests/world)."""

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from trainsh_world import wait_until

from trainsh_base.errors import MissingProgram, NotFound, RemoteError, TimedOut, TrainError, Unreachable, UsageError
from trainsh_xfer.model import Options, Result
from trainsh_xfer.transfer import Order, carry_out

ODD = [
    "-rf",
    "a b",
    "new\nline",
    "ü",
    "*",
    "[x]",
    "a'b\"c",
    "back\\slash",
    "end\\",
    "$HOME",
    "~",
    "a;b&c",
    "=x",
    "#y",
]
ODD += ["back\\*star", "{a,b}", "!x", "tail "]


class Far:
    """A host that allows two channels a connection."""

    def __init__(self, world: Any, shell: str = "", box: Any = None) -> None:
        self.box = box or world.sshd("box", settings=("MaxSessions 2",), shell=shell)
        self.home: Path = self.box.home
        self.spec: str = world.spec(self.box)


@pytest.fixture
def far(world: Any) -> Far:
    return Far(world)


def copy(far: Any, source: Path | str, destination: Path | str, request: Any, **more: Any) -> Result:
    known = {key: more.pop(key) for key in list(more) if key in Options.__struct_fields__}
    hosts = {"box": far.spec}
    order = Order(source=str(source), destination=str(destination), options=Options(**known), hosts=hosts, **more)
    return carry_out(order, request)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, and the contents of each."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def arrived(folder: Path) -> int:
    """How many bytes of the file `big` have arrived so far in a folder."""
    return sum(path.stat().st_size for path in folder.glob(".big.*"))


def test_there_and_back(far: Any, source: Path, tmp_path: Path, request_: Any) -> None:
    result = copy(far, f"{source}/", "@box:runs/deep er/x", request_, verify=True)
    assert tree(far.home / "runs/deep er/x") == tree(source)
    assert (result.files, result.bytes, result.verified) == (3, 15, True)
    assert copy(far, f"{source}/", "host:box:~/runs/deep er/x/", request_).files == 0
    assert copy(far, "box:runs/deep er/x", tmp_path / "back" / "here", request_).files == 3
    assert tree(tmp_path / "back/here/x") == tree(source)


@pytest.mark.parametrize("name", ODD, ids=repr)
def test_odd_names_arrive_as_they_are(far: Any, name: str, tmp_path: Path, request_: Any) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_text(name)
    (tmp_path / "in" / "other").write_text("other")
    (far.home / "decoy1").write_text("decoy")
    copy(far, f"{tmp_path}/in/{name}", "@box:up/", request_, source_quoted=True)
    assert tree(far.home / "up") == {name: name.encode()}
    (far.home / "up" / "other").write_text("other")
    copy(far, f"@box:up/{name}", f"{tmp_path}/down/", request_, source_quoted=True)
    assert tree(tmp_path / "down") == {name: name.encode()}
    if "\n" in name and set(name) & set("*?["):
        return
    copy(far, f"{tmp_path}/down/", f"@box:{name}/{name}", request_, destination_quoted=True)
    assert tree(far.home / name / name) == {name: name.encode()}


@pytest.fixture
def old_rsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, far: Far) -> None:
    """An rsync that reports version 2.6.9 and, like that version, does not escape names for the host's shell.

    It is a wrapper around the installed rsync, because no old rsync is available.
    """
    program = tmp_path / "bin" / "rsync"
    program.parent.mkdir()
    real = shutil.which("rsync")
    program.write_text(
        "#!/bin/sh\n[ \"$1\" = --version ] && exec echo 'rsync  version 2.6.9  protocol version 29'\n"
        f'RSYNC_OLD_ARGS=1 exec {real} "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


@pytest.mark.parametrize("name", ["a b", "new\nline", "*", "a'b\"c", "back\\slash", "$HOME", "~", "=x"], ids=repr)
@pytest.mark.usefixtures("old_rsync")
def test_odd_names_with_an_rsync_that_escapes_nothing(far: Far, name: str, tmp_path: Path, request_: Any) -> None:
    (far.home / "in").mkdir()
    (far.home / "in" / name).write_text(name)
    (far.home / "in" / "other").write_text("other")
    copy(far, f"@box:in/{name}", f"{tmp_path}/down/", request_, source_quoted=True)
    assert tree(tmp_path / "down") == {name: name.encode()}
    copy(far, f"{tmp_path}/down/", f"@box:{name}/{name}", request_, destination_quoted=True)
    assert tree(far.home / name / name) == {name: name.encode()}


@pytest.mark.usefixtures("old_rsync")
def test_wildcards_with_an_rsync_that_escapes_nothing(
    far: Far, source: Path, tmp_path: Path, request_: Any
) -> None:
    copy(far, f"{source}/", "@box:~/data set", request_, delete=True)
    result = copy(far, "@box:~/data s*/[ab].*t", f"{tmp_path}/got/", request_)
    assert sorted(tree(tmp_path / "got")) == ["a.txt", "b.ckpt"]
    assert (result.files, result.bytes) == (2, 10)


def test_wildcards_and_tilde_are_expanded_there(far: Any, source: Path, tmp_path: Path, request_: Any) -> None:
    copy(far, f"{source}/", "@box:~/data set", request_)
    (far.home / "data set" / ".hidden").write_text("h")
    copy(far, "@box:~/data set/*.txt", f"{tmp_path}/got/", request_)
    assert tree(tmp_path / "got") == {"a.txt": b"one"}
    copy(far, "@box:data*/?.t[xy]t", f"{tmp_path}/more/", request_)
    assert tree(tmp_path / "more") == {"a.txt": b"one"}
    copy(far, "@box:data set/*", f"{tmp_path}/all/", request_)
    assert sorted(tree(tmp_path / "all")) == ["a.txt", "b.ckpt", "sub/c.txt"]
    with pytest.raises(NotFound, match="none"):
        copy(far, "@box:data set/*.none", f"{tmp_path}/none/", request_)
    assert not (tmp_path / "none").exists()


def test_the_whole_home(far: Any, source: Path, tmp_path: Path, request_: Any) -> None:
    copy(far, source / "a.txt", "@box:~", request_)
    assert tree(far.home) == {"a.txt": b"one"}
    copy(far, "@box:~", tmp_path / "all", request_)
    assert tree(tmp_path / "all") == {"home/a.txt": b"one"}
    copy(far, "@box:~/", tmp_path / "contents", request_)
    assert tree(tmp_path / "contents") == {"a.txt": b"one"}


def test_a_dry_run_makes_no_folder_there(far: Any, source: Path, request_: Any) -> None:
    (far.home / "old").mkdir()
    (far.home / "old" / "stale").write_text("x")
    assert copy(far, f"{source}/", "@box:no/such/folder", request_, dry_run=True).files == 3
    result = copy(far, f"{source}/", "@box:old", request_, dry_run=True, delete=True)
    assert [change.path for change in result.changes if change.action == "delete"] == ["stale"]
    assert tree(far.home) == {"old/stale": b"x"}
    assert not (far.home / "no").exists()


def test_delete_there_is_guarded(far: Any, source: Path, request_: Any) -> None:
    (far.home / "precious").write_text("p")
    for path in ("~", "~/", ".", "./", "/", "/etc", "~/x/..", "/home/somebody"):
        with pytest.raises(UsageError, match="would remove every file"):
            copy(far, f"{source}/", f"@box:{path}", request_, delete=True)
    assert copy(far, f"{source}/", "@box:below", request_, delete=True).files == 3
    (source / "a.txt").unlink()
    assert copy(far, f"{source}/", "@box:below", request_, delete=True).deleted == 1


def test_move_from_there(far: Any, source: Path, tmp_path: Path, request_: Any) -> None:
    copy(far, f"{source}/", "@box:runs/a b", request_)
    copy(far, f"{source}/", "@box:runs/c", request_)
    copy(far, "@box:runs/a b", tmp_path / "got", request_, move=True, verify=True)
    assert tree(tmp_path / "got" / "a b") == tree(source)
    assert not (far.home / "runs" / "a b").exists()
    copy(far, "@box:runs/c/", tmp_path / "got2", request_, move=True, exclude=["*.ckpt"])
    assert [path.name for path in (far.home / "runs" / "c").rglob("*")] == ["b.ckpt"]
    copy(far, "@box:runs/*", tmp_path / "got3", request_, move=True)
    assert list((far.home / "runs").iterdir()) == []


def test_move_to_there(far: Any, source: Path, request_: Any) -> None:
    copy(far, source, "@box:got", request_, move=True, verify=True)
    assert not source.exists()
    assert len(tree(far.home / "got" / "source")) == 3


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh", "fish", "busybox"])
def test_login_shells(world: Any, shell: str, source: Path, tmp_path: Path, request_: Any) -> None:
    program = shutil.which(shell)
    if not program:
        pytest.skip(f"NOT TESTED HERE: there is no {shell}")
    if shell == "busybox":
        (tmp_path / "sh").symlink_to(program)
        program = str(tmp_path / "sh")
    far = Far(world, shell=program)
    copy(far, f"{source}/", '@box:~/it\'s \\ "new"/$x', request_)
    assert tree(far.home / 'it\'s \\ "new"' / "$x") == tree(source)
    copy(far, "@box:it's*/$x/*.txt", f"{tmp_path}/got/", request_, move=True)
    assert tree(tmp_path / "got") == {"a.txt": b"one"}
    assert sorted(tree(far.home / 'it\'s \\ "new"' / "$x")) == ["b.ckpt", "sub/c.txt"]
    with pytest.raises(NotFound):
        copy(far, "@box:*.none", f"{tmp_path}/none/", request_)


def test_no_rsync_there(far: Any, source: Path, tmp_path: Path, request_: Any) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("sh", "mkdir"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    (far.home / ".bashrc").write_text(f"PATH='{tmp_path}/bin'\n")
    with pytest.raises(MissingProgram, match="rsync is not installed on"):
        copy(far, f"{source}/", "@box:x/y", request_)
    with pytest.raises(MissingProgram, match="rsync is not installed on"):
        copy(far, "@box:x", f"{tmp_path}/got", request_)


def test_login_files_that_print(far: Any, source: Path, tmp_path: Path, request_: Any) -> None:
    (far.home / ".bashrc").write_text("echo 'Welcome to the far side'; printf 'no newline at the end: '\n")
    copy(far, f"{source}/", "@box:x/y", request_)
    assert tree(far.home / "x/y") == tree(source)
    copy(far, "@box:x/y/", f"{tmp_path}/got", request_, move=True)
    assert tree(tmp_path / "got") == tree(source)
    (far.home / "latest").symlink_to("x", target_is_directory=True)
    copy(far, f"{source}/", "@box:x/y", request_)
    copy(far, "@box:latest", f"{tmp_path}/got", request_)
    assert tree(tmp_path / "got/latest/y") == tree(source)
    copy(far, f"{source}/", "@box:~", request_)
    assert copy(far, "@box:~", f"{tmp_path}/all", request_).files > 3


def test_a_login_file_that_asks(
    far: Any, source: Path, tmp_path: Path, request_: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(far, f"{source}/", "@box:x", request_)
    monkeypatch.setattr("trainsh_xfer.hosts.machines.LOGIN_LIMIT", 1.0)
    (far.home / ".bashrc").write_text("echo 'Continue?' >&2; exec sleep 600\n")
    with pytest.raises(TimedOut, match="login shell ran no command in time"):
        copy(far, "@box:x/", f"{tmp_path}/got", request_)
    assert request_.of("log") == []


@pytest.mark.parametrize("asks", ["read -p 'Continue? ' -n 1 answer", "read -p 'Your name? ' name"])
def test_a_login_file_that_reads_what_rsync_is_sent(
    far: Any, source: Path, tmp_path: Path, request_: Any, monkeypatch: pytest.MonkeyPatch, asks: str
) -> None:
    copy(far, f"{source}/", "@box:x", request_)
    monkeypatch.setattr("trainsh_xfer.hosts.machines.LOGIN_LIMIT", 1.0)
    monkeypatch.setattr("trainsh_xfer.hosts.machines.SILENCE_LIMIT", 0.5)
    (far.home / ".bashrc").write_text(f"{asks}\n")
    for ends in ((f"{source}/", "@box:y"), ("@box:x/", f"{tmp_path}/got")):
        with pytest.raises(TimedOut, match="login shell ran no command in time"):
            copy(far, *ends, request_)


def test_a_host_that_runs_a_command_of_its_own(world: Any, source: Path, tmp_path: Path, request_: Any) -> None:
    forced = 'ForceCommand echo "Please login as the user ubuntu rather than root."'
    far = Far(world, box=world.sshd("box", settings=(forced,)))
    for ends in ((f"{source}/", "@box:x"), ("@box:x/", f"{tmp_path}/got")):
        with pytest.raises(TrainError, match="Please login as the user ubuntu"):
            copy(far, *ends, request_)
    assert request_.of("log") == []


def test_a_source_that_is_not_there(far: Any, tmp_path: Path, request_: Any) -> None:
    with pytest.raises(NotFound, match=r"no such file or folder: .*nothing"):
        copy(far, "@box:nothing", f"{tmp_path}/deep/er/", request_)
    assert not (tmp_path / "deep").exists()


def test_a_folder_that_cannot_be_made_there(far: Far, source: Path, request_: Any) -> None:
    (far.home / "file").write_text("x")
    with pytest.raises(RemoteError, match="mkdir"):
        copy(far, f"{source}/", "@box:file/below/it", request_)
    assert request_.of("log") == []


def test_an_unreachable_host_is_no_folder(far: Any, source: Path, tmp_path: Path, request_: Any) -> None:
    far.box.stop()
    for destination in ("@box:x", "host:box:x", "box:x"):
        with pytest.raises(Unreachable):
            copy(far, f"{source}/", destination, request_, cwd=str(tmp_path), delete=True)
    with pytest.raises(TrainError):
        copy(far, f"{source}/", "nobody:x", request_, cwd=str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "source"]


def upload_through(far: Any, tmp_path: Path, request: Any, fault: Callable[[], object]) -> Result:
    """Upload 30 MB, call `fault` in the middle, check the uploaded file, and return the result."""
    big = tmp_path / "big"
    big.write_bytes(os.urandom(30_000_000))
    results: list[Result] = []
    work = threading.Thread(target=lambda: results.append(copy(far, big, "@box:up/", request, bwlimit=10_000)))
    work.start()
    wait_until(lambda: arrived(far.home / "up") > 4_000_000)
    fault()
    work.join(200)
    assert (far.home / "up" / "big").read_bytes() == big.read_bytes()
    assert any("lost the connection" in data["message"] for data in request.of("log"))
    return results[0]


def test_a_lost_connection_is_made_again(far: Any, tmp_path: Path, request_: Any) -> None:
    result = upload_through(far, tmp_path, request_, far.box.drop)
    assert result.sent < 28_000_000
    assert sorted(tree(far.home)) == ["up/big"]


def test_a_link_that_is_cut_in_silence(world: Any, tmp_path: Path, request_: Any) -> None:
    """The host's rsync does not notice that the link is cut. It is ended, so that its partial file can be used."""
    host = world.network_host("box")
    far = Far(world, box=host.sshd)

    def fault() -> None:
        host.cut()
        wait_until(lambda: any("lost" in event["message"] for event in request_.of("log")), timeout=60)
        host.restore()

    assert upload_through(far, tmp_path, request_, fault).sent < 28_000_000
    assert sorted(tree(far.home)) == ["up/big"]


def test_more_transfers_than_a_connection_has_channels(far: Any, tmp_path: Path, request_: Any) -> None:
    """In this test sshd allows two channels per connection, and yet five transfers at once all succeed."""
    (tmp_path / "data").write_bytes(os.urandom(2_000_000))
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            copy(far, tmp_path / "data", f"@box:{number}/", request_, bwlimit=4000)
        except TrainError as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failed == []
    assert sorted(tree(far.home)) == [f"{number}/data" for number in range(5)]


def test_a_link_there_is_followed(far: Any, source: Path, tmp_path: Path, request_: Any) -> None:
    shutil.copytree(source, far.home / "ckpt 7")
    (far.home / "latest").symlink_to("ckpt 7", target_is_directory=True)
    (far.home / "best").symlink_to(far.home / "ckpt 7" / min(tree(source)))
    for _ in range(2):
        copy(far, "@box:latest", tmp_path / "to", request_)
        copy(far, "@box:~/best", tmp_path / "to/", request_)
    assert tree(tmp_path / "to/latest") == tree(source)
    assert (tmp_path / "to/best").read_bytes() == tree(source)[min(tree(source))]


def test_what_comes_from_a_host_has_no_teeth(far: Any, tmp_path: Path, request_: Any) -> None:
    run = far.home / "run"
    run.mkdir()
    (run / "tool").write_text("#!/bin/sh\n")
    (run / "tool").chmod(0o6755)
    (run / "inside").symlink_to("tool")
    (run / "passwd").symlink_to("/etc/passwd")
    (run / "up").symlink_to("../../.ssh")
    result = copy(far, "@box:run/", tmp_path / "safe", request_, verify=True)
    assert {path.name for path in (tmp_path / "safe").iterdir()} == {"tool", "inside"}
    assert (tmp_path / "safe/tool").stat().st_mode & 0o7777 == 0o755
    assert sum("unsafe symlink" in warning for warning in result.warnings) == 2
    assert copy(far, "@box:run/", tmp_path / "safe", request_).files == 0
    copy(far, "@box:run/", tmp_path / "kept", request_, as_is=True)
    assert (tmp_path / "kept/tool").stat().st_mode & 0o7777 == 0o6755
    assert (tmp_path / "kept/up").is_symlink() and (tmp_path / "kept/passwd").is_symlink()
