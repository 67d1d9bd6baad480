"""Runs the scripts that let one host copy to another in shells of this machine; and tests the transfer's key."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from trainsh_world import wait_until

from trainsh_base.errors import UsageError
from trainsh_xfer.hosts import pair_scripts
from trainsh_xfer.hosts.scratch import private_folder
from trainsh_xfer.hosts.throwaway_key import ThrowAwayKey

SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh", "fish") if shutil.which(shell)]
CSH = [shell for shell in ("tcsh",) if shutil.which(shell)]
PUBLIC = "ssh-ed25519 AAAAC3Nza trainsh-xfer-1234"
CLOCK = "202612312330"


def run(shell: str, line: str) -> str:
    """Run `line` as a login shell would, and return its output."""
    return subprocess.run([shell, "-c", line], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"hostname": "10.1.2.3", "port": "2222", "user": "root"}, ("10.1.2.3", 2222, "root", True)),
        ({"hostname": "box", "proxyjump": "none"}, ("box", 22, "", True)),
        ({"hostname": "box", "proxyjump": "gate"}, ("box", 22, "", False)),
        ({"hostname": "box", "proxycommand": "nc %h %p"}, ("box", 22, "", False)),
        ({"hostname": "127.0.0.1"}, ("127.0.0.1", 22, "", False)),
        ({"hostname": "localhost"}, ("localhost", 22, "", False)),
        ({"hostname": "::1"}, ("::1", 22, "", False)),
    ],
    ids=str,
)
def test_addresses(settings: dict[str, str], found: tuple[str, int, str, bool]) -> None:
    assert pair_scripts.address(settings) == pair_scripts.Address(*found)


def test_the_line_that_allows() -> None:
    line = pair_scripts.key_line(PUBLIC + "\n", "mkdir -p -- 'a \"b\"' && rsync --server . x", "202612312330")
    assert line == (
        'restrict,expiry-time="202701010030",command="mkdir -p -- \'a \\"b\\"\' && rsync --server . x" ' + PUBLIC
    )


@pytest.mark.parametrize("command", ["rsync --server . a\nb", "rsync --server . a\\"])
def test_a_command_that_no_line_can_hold(command: str) -> None:
    with pytest.raises(UsageError):
        pair_scripts.key_line(PUBLIC, command, "202612312330")


def test_known_hosts() -> None:
    lines = ["# Host box found: line 1", "|1|abc= ssh-ed25519 AAAA comment", "[box]:22 ssh-ed25519 AAAA"]
    lines += ["@revoked box ssh-rsa BBBB", "ecdsa-sha2-nistp256 CCCC root@box", "box ssh-rsa"]
    assert pair_scripts.known_hosts(lines) == [
        "trainsh-xfer ssh-ed25519 AAAA",
        "trainsh-xfer ecdsa-sha2-nistp256 CCCC",
    ]


@pytest.mark.parametrize("shell", [*SHELLS, *CSH])
def test_allowed_and_forbidden_again(shell: str, home: Path) -> None:
    file = home / ".ssh" / "authorized_keys"
    line = pair_scripts.key_line(PUBLIC, "rsync 'it'\\''s'", "202612312330")
    assert run(shell, pair_scripts.allowing(line, "trainsh-xfer-1234", CLOCK)) == "allowed\n"
    assert file.read_text() == line + "\n"
    assert file.stat().st_mode & 0o777 == 0o600
    expired = 'restrict,expiry-time="202612312329",command="x" ssh-ed25519 AAAA trainsh-xfer-12ab'
    file.write_text(f"own key 1\n{expired}\nown key 2")
    file.chmod(0o640)
    run(shell, pair_scripts.allowing("first trainsh-xfer-1234", "trainsh-xfer-1234", CLOCK))
    run(shell, pair_scripts.allowing(line, "trainsh-xfer-1234", CLOCK))
    assert file.read_text() == f"own key 1\nown key 2\n{line}\n"
    run(shell, pair_scripts.forbidding("trainsh-xfer-1234"))
    assert file.read_text() == "own key 1\nown key 2\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["authorized_keys"]


@pytest.mark.parametrize("shell", [*SHELLS, *CSH])
def test_the_source_is_prepared_and_cleaned(shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    old = tmp_path / "trainsh-xfer-0123"
    old.mkdir()
    os.utime(old, (0, 0))
    said = run(shell, pair_scripts.preparing("trainsh-xfer-4567", ["one", "two"]))
    folder = Path(pair_scripts.answers(said)["folder"][0])
    assert (folder.parent, old.exists()) == (tmp_path, False)
    assert (folder / "known_hosts").read_text() == "one\ntwo\n"
    assert folder.stat().st_mode & 0o777 == 0o700
    subprocess.run(["sh", folder / "note", "host", "rsync", "--server", ".", "a b"], check=True)
    assert (folder / "command").read_text() == "rsync --server . a b\n"
    run(shell, pair_scripts.piping(str(folder)))
    run(shell, pair_scripts.cleaning("trainsh-xfer-4567"))
    assert not folder.exists()


def test_the_pipes_carry_both_ways_and_cleaning_releases_them(tmp_path: Path, home: Path) -> None:
    run("sh", f"TMPDIR='{tmp_path}' {pair_scripts.preparing('trainsh-xfer-4567', [])}")
    folder = str(tmp_path / "trainsh-xfer-4567")
    run("sh", pair_scripts.piping(folder))
    bridge = subprocess.Popen(
        ["sh", "-c", pair_scripts.bridging(folder, "m")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    joined = subprocess.Popen(["sh", f"{folder}/join", "host", "x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert bridge.stdin
    bridge.stdin.write(b"back")
    bridge.stdin.close()
    bridge.stdin = None
    assert joined.stdin
    joined.stdin.write(b"to the bridge")
    joined.stdin.close()
    joined.stdin = None
    assert joined.communicate()[0] == b"back"
    assert bridge.communicate()[0] == b"m\nto the bridge"
    blocked = subprocess.Popen(["sh", f"{folder}/join", "host", "x"], stdin=subprocess.DEVNULL)
    wait_until(lambda: waits_for_a_pipe(blocked.pid))
    run("sh", f"TMPDIR='{tmp_path}' {pair_scripts.cleaning('trainsh-xfer-4567')}")
    assert blocked.wait(60) == 0


def waits_for_a_pipe(process: int) -> bool:
    """Whether a process waits for the other end of a FIFO."""
    wchan = Path(f"/proc/{process}/wchan").read_text()
    # A kernel that does not name the wait says 0, as it does for a running process; but a running process does not
    # sleep.
    sleeps = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "S"
    return wchan == "wait_for_partner" or "fifo" in wchan or (wchan == "0" and sleeps)


def test_cleaning_removes_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    folder = tmp_path / "trainsh-xfer-1"
    folder.mkdir()
    (folder / "precious").write_text("p")
    run("sh", pair_scripts.cleaning("trainsh-xfer-1"))
    run("sh", pair_scripts.cleaning("trainsh-xfer-none"))
    assert (folder / "precious").exists()


def test_the_key_is_in_its_agent_alone(world: object) -> None:
    with private_folder() as folder, ThrowAwayKey("trainsh-xfer-1234", folder) as key:
        listed = subprocess.run(
            ["ssh-add", "-L"], env={**os.environ, "SSH_AUTH_SOCK": str(key.socket)}, capture_output=True, check=True
        )
        assert listed.stdout.decode() == key.public
        assert key.public.endswith(" trainsh-xfer-1234\n")
        assert sorted(path.name for path in key.folder.iterdir()) == ["agent", "key.pub"]
        assert key.folder.stat().st_mode & 0o777 == 0o700
    assert not key.folder.exists()


def test_the_agent_ends_with_a_tool_that_is_killed(world: object, tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from trainsh_xfer.hosts.throwaway_key import ThrowAwayKey\n"
        "with ThrowAwayKey('m', Path(sys.argv[1])) as key: print(key._agent, flush=True); sys.stdin.read()"
    )
    tool = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert tool.stdout
    agent = int(tool.stdout.readline())
    tool.kill()
    tool.wait()
    wait_until(lambda: not alive(agent))


def alive(process: int) -> bool:
    """Whether a process runs. A zombie does not run."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
