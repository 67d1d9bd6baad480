"""Paths on a host, as the shell and both rsyncs read them."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsh_base.errors import UsageError
from trainsh_xfer.engines import remote_paths
from trainsh_xfer.remote.library import for_shell

SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh", "fish") if shutil.which(shell)]
CSH = [shell for shell in ("tcsh",) if shutil.which(shell)]
WORDS = ["a b", "it's", "back\\slash", "\\", "'", "''", "\\'", "'\\", "a\\'b", "$HOME", "`x`", "!x", "*", "{a,b}"]
WORDS += ["", "ü", "new\nline", "\\n", "a\\\\b", "#x", "~"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_word_reaches_a_command_as_it_is(shell: str) -> None:
    line = f"printf '%s\\0' {' '.join(for_shell(word) for word in WORDS)}"
    done = subprocess.run([shell, "-c", line], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == WORDS


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_word_is_one_word(text: str) -> None:
    assert shlex.split(for_shell(text)) == [text]


@pytest.mark.parametrize(
    ("path", "literal", "wildcards", "new", "old"),
    [
        ("/a b/c", False, True, "/a b/c", "'/a b/c'"),
        ("x", False, False, "./x", "'./x'"),
        ("-x", True, False, "./-x", "'./-x'"),
        ("~/x y", False, False, "~/x y", "~/'x y'"),
        ("~bob/x", False, True, "~bob/x", "~bob/'x'"),
        ("~/", False, False, "~/", "~/"),
        ("~/x", True, False, "./~/x", "'./~/x'"),
        ("/d/*.tx[ty]", False, True, "/d/*.tx[ty]", "'/d/'*'.tx'['ty']"),
        ("/d/*.tx[ty]", False, False, "/d/\\*.tx\\[ty\\]", "'/d/*.tx[ty]'"),
        ("/d/*", True, True, "/d/\\*", "'/d/*'"),
    ],
)
def test_paths_for_rsync(path: str, literal: bool, wildcards: bool, new: str, old: str) -> None:
    assert remote_paths.for_new_rsync(path, literal=literal, wildcards=wildcards) == new
    assert remote_paths.for_old_rsync(path, literal=literal, wildcards=wildcards) == old


@pytest.mark.parametrize(
    ("path", "literal", "source", "text"),
    [
        ("/a\nb", False, True, "/a\nb"),
        ("~/a\nb", False, True, "./a\nb"),
        ("/a\n*b\\c/d\\e", True, True, "/a\n\\*b\\\\c/d\\e"),
        ("a\nb", False, False, "./a\nb"),
    ],
)
def test_paths_that_no_shell_sees(path: str, literal: bool, source: bool, text: str) -> None:
    assert remote_paths.secluded(path, literal=literal, source=source) == text


@pytest.mark.parametrize(("path", "source"), [("/a\n*", False), ("~bob/a\nb", True)])
def test_paths_that_cannot_be_written(path: str, source: bool) -> None:
    with pytest.raises(UsageError):
        remote_paths.secluded(path, literal=False, source=source)


@pytest.mark.parametrize(
    ("destination", "parent"),
    [
        ("/a/b/c", "'/a/b'"),
        ("/a/b/", "'/a'"),
        ("~/a b/c", "~/'a b'"),
        ("x/y", "'./x'"),
        ("x/", ""),
        ("/x", ""),
        ("~", ""),
        ("~/x/", ""),
    ],
)
def test_the_folders_above(destination: str, parent: str) -> None:
    expected = f"mkdir -p -- {parent} && {remote_paths.PROCESS}" if parent else remote_paths.PROCESS
    assert remote_paths.receiving(destination, literal=False, make=True) == expected
    assert remote_paths.receiving(destination, literal=False, make=False) == remote_paths.PROCESS


@pytest.mark.parametrize("shell", [*SHELLS, *CSH])
def test_the_far_rsync_says_its_number(shell: str, tmp_path: Path) -> None:
    fake = tmp_path / "rsync"
    fake.write_text('#!/bin/sh\necho "$$ $*"\n')
    fake.chmod(0o755)
    line = f"set x y; {remote_paths.PROCESS} --server 'a b'"
    done = subprocess.run(
        [shell, "-c", line], capture_output=True, text=True, check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}
    )
    number, rest = done.stdout.split(" ", 1)
    assert (done.stderr, rest) == (f"train-xfer process {number}\n", "--server a b\n")


@pytest.mark.parametrize("command", ["sleep 600", "exec -a 'not it' sleep 600"])
def test_only_an_rsync_server_is_ended(command: str) -> None:
    bystander = subprocess.Popen(["bash", "-c", command])
    subprocess.run(["sh", "-c", remote_paths.ending(bystander.pid)], check=True)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_an_rsync_server_is_ended_and_waited_for(tmp_path: Path) -> None:
    server = subprocess.Popen(["bash", "-c", "exec -a 'rsync --server' sleep 60"])
    while b"--server" not in Path(f"/proc/{server.pid}/cmdline").read_bytes():
        pass
    waiter = subprocess.Popen(["sh", "-c", remote_paths.ending(server.pid)])
    assert server.wait(60) == -15
    assert waiter.wait(60) == 0


@pytest.mark.parametrize("shell", [*SHELLS, *CSH])
@pytest.mark.parametrize(
    ("name", "kind"),
    [("to folder", "folder\n"), ("to'file", "file\n"), ("to-nothing", ""), ("file", ""), ("none", "")],
)
def test_what_a_link_leads_to(shell: str, name: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for link, aim in (("to folder", "."), ("to'file", "file"), ("to-nothing", "gone")):
        (tmp_path / link).symlink_to(aim)
    line = remote_paths.asking_link(name, literal=True)
    done = subprocess.run([shell, "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == kind


@pytest.mark.parametrize("shell", [*SHELLS, *CSH])
def test_empty_folders_are_removed(shell: str, tmp_path: Path) -> None:
    at = tmp_path / "far"
    for path in ("one/a b/c", "two/x", "three/y"):
        (at / path).mkdir(parents=True)
    (at / "one" / "kept").write_text("x")
    (at / "link").symlink_to("two")
    line = remote_paths.removing_empty([("one/", False), (f"{at}/th*", False), ("link", True)])
    subprocess.run([shell, "-c", line], cwd=at, check=True)
    assert sorted(path.name for path in at.rglob("*")) == ["kept", "link", "one", "two", "x"]
