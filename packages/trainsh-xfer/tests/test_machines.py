"""How rsync uses a shared connection."""

import shlex
import subprocess

import pytest

from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_xfer.hosts.machines import Connection, host_word, marked, quiet, shell_option

ARGV = ["ssh", "-p", "22", "-o", "ProxyCommand=ssh -W %h:%p 'jump'", "-i", "/keys/a b", "root@10.0.0.1"]
TARGET = Target(name="gpu", kind="ssh", argv=ARGV, control_path="/run/m-1")


def test_the_option_keeps_every_word_together() -> None:
    """rsync splits the option at spaces.

    A quote inside quotes is doubled for rsync, although a shell would end the quotes there.
    """
    shell = Connection(TARGET, Request()).remote().shell
    assert "'ProxyCommand=ssh -W %h:%p ''jump''' -i '/keys/a b'" in shell
    assert "-S /run/m-1 -o ControlMaster=no -o ProxyCommand=false" in shell
    assert "root@10.0.0.1" not in shell


def test_openrsync_gets_words_without_a_space() -> None:
    remote = Connection(TARGET, Request()).remote("prog", plain=True)
    assert (remote.shell.split()[:3], remote.host, remote.program) == (
        ["ssh", "-S", "/run/m-1"],
        "root@10.0.0.1",
        "prog",
    )
    assert "'" not in remote.shell


@pytest.mark.parametrize(
    ("destination", "word"),
    [
        ("box", "box"),
        ("root@box", "root@box"),
        ("root@fe80::1", "root@[fe80::1]"),
        ("::1", "[::1]"),
        ("[::1]", "[::1]"),
    ],
)
def test_hosts(destination: str, word: str) -> None:
    assert host_word(destination) == word


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_noise_before_the_mark_is_dropped_and_not_a_byte_more(shell: str) -> None:
    noise = "echo hello; printf 'no newline: '"
    command = f"{noise}; {marked('cat', 'mark-1')}"
    words = quiet([shell, "-c", command], "mark-1")
    data = bytes(range(256)) * 1000
    done = subprocess.run(words, input=data, capture_output=True, check=True)
    assert done.stdout == data


def test_nothing_passes_without_the_mark() -> None:
    done = subprocess.run(
        quiet(["sh", "-c", "echo hello; cat"], "mark-1"), input=b"data\n", capture_output=True, check=False
    )
    assert (done.stdout, done.returncode) == (b"", 1)


def test_marking() -> None:
    line = marked("", "mark-1")
    assert shlex.split(line) == ["printf", "%s\\n", "mark-1;", "rsync"]
    assert shell_option(["a", "b c", "d'e", ""]) == "a 'b c' 'd''e' ''"
