"""The argv that opens a shared connection. It must not override what the person has configured."""

from pathlib import Path

import pytest

from trainsh_base.remote.connection import Wishes, fast_first, master_argv, wishes
from trainsh_base.remote.ssh_config import chosen
from trainsh_base.remote.target import Target, control_path, ssh_target

BOX = ssh_target("box", ["ssh", "-p", "2222", "me@box"])


CIPHERS = "chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com,aes128-gcm@openssh.com"


def options(argv: list[str]) -> dict[str, str]:
    pairs = [argv[at + 1].partition("=") for at, word in enumerate(argv) if word == "-o"]
    return {key: value for key, _, value in pairs}


def test_ours_where_nothing_was_chosen() -> None:
    found = options(master_argv(BOX, "/s", {"ciphers": [CIPHERS], "default ciphers": [CIPHERS]}, Wishes()))
    assert found["Ciphers"] == fast_first(CIPHERS)
    assert found["ServerAliveInterval"] == "5" and found["ConnectTimeout"] == "15"


@pytest.mark.parametrize(
    ("settings", "absent"),
    [
        ({"ciphers": ["a"], "default ciphers": ["a,b"]}, "Ciphers"),
        ({"ciphers": [""], "default ciphers": [""]}, "Ciphers"),
        ({"serveraliveinterval": ["30"]}, "ServerAliveInterval"),
        ({"connecttimeout": ["3"]}, "ConnectTimeout"),
    ],
    ids=["ciphers", "unknown ciphers", "keepalive", "timeout"],
)
def test_what_was_chosen_is_not_said_again(settings: dict[str, list[str]], absent: str) -> None:
    assert absent not in options(master_argv(BOX, "/s", settings, Wishes()))


@pytest.mark.parametrize(
    ("ciphers", "ordered"),
    [
        (CIPHERS, "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes128-ctr"),
        ("aes128-ctr", "aes128-ctr"),
    ],
    ids=["AES-GCM first", "none that is not there"],
)
def test_the_order_of_ciphers(ciphers: str, ordered: str) -> None:
    assert fast_first(ciphers) == ordered


def test_config_has_its_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path))
    assert wishes() == Wishes()
    (tmp_path / "config.toml").write_text("[ssh]\nconnect_timeout = '3s'\npersist = '1h'\nciphers_gcm = false\n")
    found = options(master_argv(BOX, "/s", {"ciphers": ["a"], "default ciphers": ["a"]}, wishes()))
    assert (found["ConnectTimeout"], found["ControlPersist"]) == ("3", "3600") and "Ciphers" not in found


def test_ssh_itself_is_asked_what_was_chosen() -> None:
    box = ssh_target("box", ["ssh", "-F", "none", "-o", "Ciphers=aes256-ctr", "me@box"])
    found = chosen(box)
    assert found["ciphers"] == ["aes256-ctr"] != found["default ciphers"]
    plain = chosen(ssh_target("box", ["ssh", "-F", "none", "me@box"]))
    assert plain["ciphers"] == plain["default ciphers"] != [""]


def test_a_client_of_the_connection_cannot_log_in_by_itself() -> None:
    argv = BOX.remote_argv("true")
    assert argv[:4] == ["ssh", "-S", BOX.control_path, "-o"]
    assert options(argv)["ProxyCommand"] == "false"
    assert argv[-2:] == ["me@box", "true"]


def test_a_terminal_may() -> None:
    argv = BOX.remote_argv(None, terminal=True)
    assert "ProxyCommand" not in options(argv) and "-tt" in argv and argv[-1] == "me@box"


def test_without_the_shared_connection() -> None:
    assert "-S" not in BOX.remote_argv("true", master=False)


def test_this_machine_needs_no_ssh() -> None:
    assert Target.local().remote_argv("echo 'a b'") == ["sh", "-c", "echo 'a b'"]


def test_sockets_differ_by_everything_that_makes_a_connection() -> None:
    paths = {
        control_path(["ssh", "me@box"]), control_path(["ssh", "you@box"]),
        control_path(["ssh", "-p", "22", "me@box"]),
        control_path(["ssh", "me@box"], {"A": "1"}), control_path(["ssh", "me@box"], {"A": "2"}),
    }  # fmt: skip
    assert len(paths) == 5
    assert all(len(path) < 80 for path in paths)
