"""From names and specs come the words that start ssh. These tests make no connection."""

import json
import stat
from pathlib import Path

import msgspec
import pytest

from trainsh_base.errors import MissingProgram, NotFound, TrainError, UsageError
from trainsh_base.remote.target import Target
from trainsh_host.model import Host
from trainsh_host.ways import ssh_names as aliases
from trainsh_host.ways.resolve import host_argv, resolve

HOSTS = {
    "plain": (Host(name="a", hostname="h"), ["ssh", "h"]),
    "0.9's port 22 says nothing": (Host(name="a", hostname="h", port=22, username="me"), ["ssh", "me@h"]),
    "port": (Host(name="a", hostname="h", port=23), ["ssh", "-p", "23", "h"]),
    "key": (
        Host(name="a", hostname="h", auth_method="key", ssh_key_path="~/.ssh/k"),
        ["ssh", "-i", "~/.ssh/k", "-o", "IdentitiesOnly=yes", "h"],
    ),
    "agent leaves the key alone": (
        Host(name="a", hostname="h", auth_method="agent", ssh_key_path="k"),
        ["ssh", "h"],
    ),
    "options": (Host(name="a", hostname="h", ssh_options=["A=b c"]), ["ssh", "-o", "A=b c", "h"]),
    "jump": (Host(name="a", hostname="h", jump_host="me@j:22"), ["ssh", "-o", "ProxyJump=me@j:22", "h"]),
    "password": (
        Host(name="a", hostname="h", auth_method="password"),
        [
            "ssh",
            "-o",
            "PubkeyAuthentication=no",
            "-o",
            "PreferredAuthentications=keyboard-interactive,password",
            "h",
        ],
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRAINSH_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("host", "argv"), HOSTS.values(), ids=HOSTS)
def test_words(host: Host, argv: list[str]) -> None:
    assert host_argv(host, None) == argv


def write(home: Path, *tables: dict[str, object]) -> None:
    lines = ["".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items()) for table in tables]
    (home / "hosts.toml").write_text("".join(f"[[hosts]]\n{text}" for text in lines))


def test_a_configured_host_wins_over_a_spec_of_that_name(home: Path) -> None:
    write(home, {"name": "gpu", "hostname": "1.2.3.4", "password_secret": "PW"})
    found = resolve("gpu")
    assert found.argv == ["ssh", "1.2.3.4"] and found.label == "gpu" and found.secret == "PW"
    assert found.control_path and len(found.control_path) < 80


def test_a_spec(home: Path) -> None:
    found = resolve("me@box -p 2222 -o A=b -J j")
    assert found.argv == ["ssh", "-p", "2222", "-o", "A=b", "-o", "ProxyJump=j", "me@box"]
    assert found.label == "me@box:2222"
    assert resolve("me@box -p 22").argv == ["ssh", "-p", "22", "me@box"], "a port that is said is passed on"


def test_a_relative_key_is_looked_for_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve("me@box -i keys/id").argv[:3] == ["ssh", "-i", str(tmp_path / "keys" / "id")]
    assert resolve("me@box -i ~/id").argv[:3] == ["ssh", "-i", "~/id"]


def test_the_default_key_of_the_settings(home: Path) -> None:
    hosts = (
        {"name": name, "hostname": "h", "auth_method": method}
        for name, method in (("gpu", "key"), ("agent", "agent"))
    )
    write(home, *hosts)
    (home / "config.toml").write_text(f"[defaults]\nssh_key_path = '{home}/id'\n")
    assert resolve("gpu").argv == ["ssh", "h"], "a key that does not exist would only keep ssh from its own"
    (home / "id").touch()
    assert resolve("gpu").argv == ["ssh", "-i", f"{home}/id", "h"]
    assert resolve("agent").argv == ["ssh", "h"]


def test_local(home: Path) -> None:
    write(home, {"name": "here", "type": "local"})
    assert resolve("local") == Target.local()
    assert resolve("here").kind == "local" and resolve("here").name == "here"


def test_a_jump_host_of_the_file_brings_its_key_along(home: Path) -> None:
    jump = {"name": "gate", "hostname": "g", "port": 5, "auth_method": "key", "ssh_key_path": "/my keys/%id"}
    write(home, jump, {"name": "gpu", "hostname": "h", "jump_host": "gate"})
    proxy = next(word for word in resolve("gpu").argv if word.startswith("ProxyCommand="))
    assert proxy == "ProxyCommand=ssh -p 5 -i '/my keys/%%id' -o IdentitiesOnly=yes -W '[%h]:%p' g"


def test_jump_hosts_that_go_round(home: Path) -> None:
    write(home, {"name": "a", "hostname": "h", "jump_host": "b"}, {"name": "b", "hostname": "h", "jump_host": "a"})
    with pytest.raises(UsageError, match="loop"):
        resolve("a")


def test_rented_machines_have_known_hosts_of_their_own(home: Path) -> None:
    write(home, {"name": "nb", "type": "colab", "hostname": "x.trycloudflare.com"})
    found = resolve("nb")
    assert found.known_hosts == str(home / "state" / "known_hosts" / "nb")
    assert f"UserKnownHostsFile={found.known_hosts}" in found.argv
    assert "StrictHostKeyChecking=accept-new" in found.argv
    assert "ProxyCommand=cloudflared access ssh --hostname %h" in found.argv
    assert found.destination == "root@x.trycloudflare.com"


def test_an_ngrok_tunnel_is_a_port(home: Path) -> None:
    (home / "hosts.toml").write_text(
        '[[hosts]]\nname = "nb"\ntype = "colab"\nhostname = "0.tcp.ngrok.io"\nport = 12345\n'
        '[hosts.env_vars]\ntunnel_type = "ngrok"\n'
    )
    assert resolve("nb").argv[:3] == ["ssh", "-p", "12345"]
    assert not any(word.startswith("ProxyCommand") for word in resolve("nb").argv)


@pytest.mark.parametrize("spec", ["acme:123", "lab:t4"])
def test_a_provider_that_is_not_installed(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # This test must not depend on whether the tools are installed beside train-host.
    monkeypatch.setattr("trainsh_host.ways.providers.has_tool", lambda tool: False)
    with pytest.raises(MissingProgram) as caught:
        resolve(spec)
    assert caught.value.exit_status == 9 and spec in caught.value.message


def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    """A train-vast that answers with `target`."""
    tool = tmp_path / "bin" / "train-vast"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\ncat >{tmp_path}/asked\ncat <<'EOT'\n{msgspec.json.encode(target).decode()}\nEOT\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    # The executable would first be looked for beside train-host, where the real one may be installed.
    monkeypatch.setattr("trainsh_base.tool.peer.find", lambda name: str(tool))
    monkeypatch.setattr("trainsh_host.ways.providers.has_tool", lambda name: True)


def test_a_rented_machine_has_host_keys_of_its_own(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    argv = ["ssh", "root@1.2.3.4"]
    provider(tmp_path, monkeypatch, Target(name="vast:123", kind="ssh", argv=argv, rented=True, control_path="/s"))
    found = resolve("vast:123")
    assert found.known_hosts and found.known_hosts.endswith("/known_hosts/vast-123")
    assert f"UserKnownHostsFile={found.known_hosts}" in found.argv
    assert "StrictHostKeyChecking=accept-new" in found.argv and found.argv[-1] == "root@1.2.3.4"
    assert found.control_path != "/s", "another connection than one that trusts other keys"


def test_a_provider_is_asked(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target(name="vast:123", kind="ssh", argv=["ssh", "root@1.2.3.4"], label="vast:123")
    provider(tmp_path, monkeypatch, target)
    assert resolve("vast:123").argv == ["ssh", "root@1.2.3.4"]
    assert json.loads((tmp_path / "asked").read_text()) == {"ref": "123"}
    write(home, {"name": "rented", "type": "vastai", "vast_instance_id": 123})
    assert resolve("rented").label == "rented"


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ({"name": "x", "type": "ssh"}, UsageError),
        ({"name": "x", "type": "vastai"}, MissingProgram),
        ({"name": "x", "port": "22"}, UsageError),
        ({"name": "x", "type": "cloud"}, UsageError),
    ],
    ids=["no hostname", "a rented one without its tool", "port is text", "unknown type"],
)
def test_a_table_that_says_too_little(
    home: Path, table: dict[str, object], error: type[TrainError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainsh_host.ways.providers.has_tool", lambda tool: False)
    write(home, table)
    with pytest.raises(error):
        resolve("x")


def test_an_unknown_name_names_the_nearest(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, {"name": "gpubox", "hostname": "h"})
    # No name server is asked, because it may be slow, or may invent an address.
    monkeypatch.setattr(aliases, "_resolves", lambda name: False)
    with pytest.raises(NotFound) as caught:
        resolve("gpubux")
    assert caught.value.exit_status == 3 and caught.value.hint == "did you mean gpubox?"


def test_an_alias_that_ssh_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    # ssh takes its settings from the home folder in the password file, which is the developer's own home folder.
    table = {"alias": {"hostname": "1.2.3.4", "port": "22"}, "same": {"hostname": "same", "user": "me"}}
    empty = {"hostname": "trainsh-no-such-name.invalid", "port": "22"}
    monkeypatch.setattr(aliases, "settings", lambda name: dict(table.get(name, {**empty, "hostname": name})))
    monkeypatch.setattr(aliases, "_resolves", lambda name: name == "in-dns")
    assert [aliases.known_to_ssh(name) for name in ("alias", "same", "other", "in-dns")] == [
        True,
        True,
        False,
        True,
    ]
    assert resolve("alias").argv == ["ssh", "alias"]


BLOCKS = """
Host *
  User all
Host gpu gpu2
  HostName 1.2.3.4
  Port=41022
  User root
  IdentityFile "~/.ssh/a key"
  ProxyJump gate
  ForwardAgent yes
  LocalForward 8080 localhost:8080
Match host x
  User nobody
"""


def test_host_blocks_are_read() -> None:
    found = aliases.blocks(BLOCKS)
    assert sorted(found) == ["gpu", "gpu2"]
    assert aliases.fields("gpu", found["gpu"]) == {
        "hostname": "1.2.3.4", "port": 41022, "username": "root", "auth_method": "key",
        "ssh_key_path": "~/.ssh/a key", "jump_host": "gate", "ssh_options": ["forwardagent=yes"],
    }  # fmt: skip


def test_resolving_loads_nothing_heavy(home: Path) -> None:
    import subprocess
    import sys

    write(home, {"name": "gpu", "hostname": "h"})
    script = (
        "import sys; import trainsh_host.cli, trainsh_host.ways.resolve\ntrainsh_host.ways.resolve.resolve('gpu')\n"
        "heavy = 'rich requests keyring tomlkit sh asyncio subprocess hashlib socket tempfile logging'.split()\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_spec_from_a_tool_has_host_keys_of_its_own_by_machine(home: Path) -> None:
    found = resolve("root@1.2.3.4 -p 41022 -o ConnectTimeout=5", from_tool=True, machine="acme-17")
    assert found.rented and found.machine == "acme-17"
    assert found.known_hosts == str(home / "state" / "known_hosts" / "acme-17")
    assert f"UserKnownHostsFile={found.known_hosts}" in found.argv
    assert "StrictHostKeyChecking=accept-new" in found.argv and "ConnectTimeout=5" in found.argv
    other = resolve("root@1.2.3.4 -p 41022", from_tool=True, machine="../../../etc/x y")
    assert str(Path(other.known_hosts or "").parent) == str(home / "state" / "known_hosts")


@pytest.mark.parametrize(
    "option",
    ["ProxyCommand=touch /tmp/x", "LocalCommand=x", "KnownHostsCommand=x", "IdentityAgent=/x", "Include=/x",
     "ForwardAgent=yes", "SendEnv=*", "PKCS11Provider=/x", "LocalForward=1:a:2", "proxycommand=x", "ControlPath=/x"],
)  # fmt: skip
def test_a_spec_from_a_tool_may_set_harmless_options_only(home: Path, option: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(f"root@1.2.3.4 -o '{option}'", from_tool=True)
    assert caught.value.code == "bad_spec" and option.partition("=")[0] in caught.value.message
    assert f"{option}" in " ".join(resolve(f"root@1.2.3.4 -o '{option}'").argv), (
        "a person's own is theirs to choose"
    )


def test_what_a_tool_says_about_host_keys_has_no_effect(home: Path) -> None:
    found = resolve("root@h -o StrictHostKeyChecking=no -o UserKnownHostsFile=/etc/passwd", from_tool=True)
    assert "StrictHostKeyChecking=no" not in found.argv and "UserKnownHostsFile=/etc/passwd" not in found.argv
