"""Real conditions: connections that come and go, machines that ask questions, move, sleep, and lack usual
programs.
"""

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trainsh_world import World, keygen
from world_sshd import Sshd, free_port

from far_box import Far, below, cut, logins, only, power_off, without
from tmux_box import Running, holding, wait_until
from trainsh_base.errors import TrainError, Unreachable
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.tool.peer import Peer, PeerLost, call
from trainsh_tmux import cli


class Server:
    """A `train-tmux serve`, whose questions are answered in order."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked = list(answers), list[dict[str, Any]]()
        self.events: list[dict[str, Any]] = []
        self.peer = Peer("tmux", on_ask=self._answer)

    def _answer(self, question: dict[str, Any]) -> str:
        self.asked.append(question)
        return self.answers.pop(0)

    def start(self, method: str, **params: Any) -> Any:
        return self.peer.start(method, params, on_event=self.events.append)

    def do(self, method: str, **params: Any) -> Any:
        return self.start(method, **params).result(60)

    @property
    def text(self) -> str:
        return "".join(event.get("data", "") for event in self.events if event["kind"] == "output").replace(
            "\r", ""
        )

    @property
    def log(self) -> list[str]:
        return [event["message"] for event in self.events if event["kind"] == "log"]


@pytest.fixture
def far(world: World) -> Iterator[Far]:
    """A machine behind sshd."""
    box = Far(world, world.sshd("box"))
    yield box
    box.registry.close()


@pytest.fixture
def named(world: World) -> Iterator[Far]:
    """A machine that hosts.toml names `gpu`."""
    server = world.sshd("box")
    world.host(server, "gpu")
    box = Far(world, server, "gpu")
    yield box
    box.registry.close()


# Questions


def with_password(world: World, name: str = "box") -> Sshd:
    box = world.sshd(name, password="open 'sesame'", keys=False)
    if not box.namespaced:
        pytest.skip("PASSWORDS ARE NOT TESTED HERE: no mount namespaces")
    return box


def works(server: Server, host: str) -> None:
    """Check that a session can be opened there and runs a step."""
    server.do("open", host=host, name="w")
    assert server.do("run", host=host, session="w", command="echo value; exit_() { return 5; }; exit_")["exit"] == 5
    assert server.text == "value\n"
    server.peer.close()


def test_a_password_is_asked_for_once(world: World) -> None:
    box = with_password(world)
    server = Server("open 'sesame'")
    works(server, world.spec(box))
    assert len(server.asked) == 1 and server.asked[0]["kind"] == "secret" and logins(box) == 1


def test_nobody_to_ask_is_exit_4_at_once(world: World) -> None:
    with pytest.raises(TrainError) as caught:
        call("tmux", "open", {"host": world.spec(with_password(world)), "name": "w"}, timeout=60.0)
    assert caught.value.exit_status == 4 and caught.value.code == "cannot_ask_password"


def test_a_passphrase_is_asked_for(world: World) -> None:
    box = world.sshd("box", keys=False)
    locked = world.folder / "locked"
    keygen(locked, "-N", "sesame street")
    box.authorized_keys.write_text(locked.with_suffix(".pub").read_text())
    server = Server("sesame street")
    works(server, world.spec(box).replace(str(world.key), str(locked)))
    assert "passphrase" in server.asked[0]["message"]


@pytest.mark.parametrize("how", ["-J", "-J of hosts.toml", "ProxyCommand"])
def test_through_another_machine(world: World, how: str) -> None:
    jump, box = with_password(world, "jump"), world.sshd("box")
    if how == "-J of hosts.toml":
        world.host(jump, "gate", auth_method="password", ssh_key_path="")
    way = {"-J": "-J jump", "-J of hosts.toml": "-J gate", "ProxyCommand": "-o 'ProxyCommand=ssh -W %h:%p jump'"}[
        how
    ]
    server = Server("open 'sesame'")
    works(server, f"{world.spec(box)} {way}")
    assert len(server.asked) == 1 and logins(jump) == logins(box) == 1


def test_an_unknown_host_key_is_asked_about(world: World) -> None:
    world.strict = "ask"
    spec = world.spec(world.sshd("box"))
    with pytest.raises(Unreachable) as caught:
        call("tmux", "open", {"host": spec, "name": "w"}, timeout=60.0)
    assert caught.value.code == "host_key_unknown"
    server = Server("yes")
    works(server, spec)
    assert server.asked[0]["kind"] == "confirm" and "SHA256:" in server.asked[0]["message"]


def test_a_host_key_that_changed_during_a_step_is_refused(far: Far) -> None:
    far.open()
    running = far.start("sleep 100", timeout=300)
    far.began(running)
    far.server.new_host_key()
    far.server.restart()
    far.server.drop()
    with pytest.raises(TrainError) as caught:
        running.result()
    assert "host key" in caught.value.message and str(far.world.known_hosts) in caught.value.message


def test_rented_machines_have_a_file_of_host_keys_of_their_own(world: World) -> None:
    world.strict = "ask"
    server = world.sshd("box")
    world.host(
        server, "nb", type="colab", env_vars={}, ssh_options=[], auth_method="key"
    )  # fmt: skip
    text = (
        (world.config / "hosts.toml").read_text().replace("env_vars = {}", 'env_vars = { tunnel_type = "ngrok" }')
    )
    (world.config / "hosts.toml").write_text(text)
    far = Far(world, server, "nb")
    far.open()
    assert far.text("echo x") == "x\n"
    assert not world.known_hosts.exists() and far.target.rented
    assert far.target.known_hosts and f":{server.port} " in Path(far.target.known_hosts).read_text()
    far.registry.close()
    cut(far, "master")
    server.new_host_key()
    server.restart()
    far.forget()
    with pytest.raises(Unreachable) as caught:
        far.open()
    assert caught.value.code == "host_key_changed" and far.target.known_hosts in caught.value.message
    far.registry.close()


# Login files


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "tcsh"])
def test_a_file_that_asks_before_every_command_gets_empty_answers(world: World, shell: str) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"NOT TESTED HERE: {shell} is not installed")
    far = Far(world, world.sshd("box", shell=path))
    fish = far.home / ".config" / "fish"
    fish.mkdir(parents=True)
    (far.home / ".bashrc").write_text("read -r x; read -r y\n")
    (far.home / ".zshenv").write_text("read -r x; read -r y\n")
    (fish / "config.fish").write_text("read x; read y\n")
    (far.home / ".tcshrc").write_text('set x = "$<"\nset y = "$<"\n')
    began = time.monotonic()
    far.open()
    assert far.text("echo value") == "value\n"
    assert time.monotonic() - began < 30, "no shell waits for its limit"
    far.registry.close()


def test_a_file_that_hangs_is_named(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainsh_base.remote.channel.START_LIMIT", 5.0)
    (far.home / ".bashrc").write_text("echo waiting for godot; sleep 60\n")
    with pytest.raises(TrainError) as caught:
        far.open()
    assert caught.value.code == "shell" and "waiting for godot" in caught.value.message
    assert "login files" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "read -r x </dev/tty; read -r y </dev/tty; export ASKED=$x$y",
        'ssh-keygen -q -t ed25519 -N secret -f ~/locked </dev/null; eval "$(ssh-agent)"; ssh-add ~/locked',
    ],
    ids=["read", "ssh-add"],
)
def test_a_session_whose_login_files_ask_on_the_terminal(far: Far, text: str) -> None:
    (far.home / ".bash_profile").write_text(text + "\nexport READ=whole\n")
    began = time.monotonic()
    session = far.open()
    assert session.notes == [] and time.monotonic() - began < 20, "within the limit for login files"
    assert far.text("echo $READ") == "whole\n"
    assert far.text('read -r -t 0.2 x; echo "<$x>"') == "<>\n", "no answer is left over for the steps"


# Machines that lack usual programs


def test_busybox_and_tmux_and_nothing_else(world: World) -> None:
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("NOT TESTED HERE: busybox is not installed")
    path = only(world.folder / "few", "/usr/bin/tmux")
    ash = f"{path}/ash"
    server = world.sshd("box", shell=ash, settings=(f"SetEnv PATH={path}",))
    far = Far(world, server)
    (far.home / ".profile").write_text(f"PATH={path}\n")
    far.open()
    # The name alone or the whole path, because builds of busybox differ.
    found = far.text("command -v ps; command -v bash; cd ~; export A=1").splitlines()
    assert len(found) == 1 and Path(found[0]).name == "ps"
    assert far.text('echo "$PWD $A"') == f"{far.home} 1\n"
    assert far.run("(exit 7)").exit == 7
    assert far.run("printf 'a b\\n\\n'", capture=True).captured == "a b"
    far.text('printf %s "$T" >got', secrets={"T": 'it\'s\n"x"'})
    assert (far.home / "got").read_text() == 'it\'s\n"x"'
    far.run("sleep 0.3; touch ~/there; echo three", background=True)
    assert far.wait(pattern="three", timeout=60).line == "three"
    far.wait(file="~/there", timeout=60)
    far.wait(idle="own", timeout=60)
    outcome = far.timed_out("sleep 100", 1)
    assert outcome.state == "timeout"
    far.call(cli.close, "w", host=far.host)
    far.registry.close()


def test_hosts_toml_allows_tmux_to_be_installed(world: World) -> None:
    path = without(world, "tmux")
    server = world.sshd("box", settings=(f"SetEnv PATH={path}",))
    for file in (".bashrc", ".profile"):  # a login shell must not find it either
        (server.home / file).write_text(f"PATH={path}\n")
    world.host(server, "strict", bootstrap=False)
    world.host(server, "gpu", bootstrap=True)
    (Path(path) / "apt-get").unlink()
    (Path(path) / "apt-get").write_text(f"#!/bin/sh\n[ $1 = update ] || ln -s /usr/bin/tmux {path}/tmux\n")
    (Path(path) / "apt-get").chmod(0o755)
    far = Far(world, server, "strict")
    with pytest.raises(TrainError) as caught:
        far.open()
    assert caught.value.exit_status == 9
    far.host = "gpu"
    assert far.open().fresh
    assert any("installing tmux" in line for line in far.client.log)
    far.registry.close()


# Connections that come and go


def test_a_machine_that_moves_during_a_step(named: Far) -> None:
    named.open()
    running = named.start("for i in 1 2 3; do echo line $i; sleep 1; done; (exit 3)", timeout=60)
    named.began(running)
    old, server = named.server.port, named.server
    server.stop()
    server.drop()
    server.port = free_port()
    server.start()
    wait_until(lambda: any("was cut" in line for line in running.client.log), "the loss to be noticed")
    file = named.world.config / "hosts.toml"
    file.write_text(file.read_text().replace(f"port = {old}", f"port = {server.port}"))
    outcome = running.result(90)
    assert (outcome.state, outcome.exit) == ("failed", 3)
    assert running.client.text == "line 1\nline 2\nline 3\n"
    assert sum("was cut" in line for line in running.client.log) == 1
    assert named.text("echo here") == "here\n"


@pytest.mark.slow
def test_our_own_address_changes_during_a_step(world: World) -> None:
    machine = world.network_host("far")
    far = Far(world, machine.sshd)
    far.open()
    running = far.start("for i in $(seq 6); do echo line $i; sleep 0.5; done; (exit 3)", timeout=90)
    far.began(running)
    machine.readdress()
    outcome = running.result(90)
    assert outcome.exit == 3 and running.client.text == "".join(f"line {i}\n" for i in range(1, 7))
    far.registry.close()


@pytest.mark.slow
def test_a_link_that_is_silent_beyond_a_login_in_vain(far: Far) -> None:
    relay = far.world.relay(far.server)
    far.host = far.world.spec(far.server, relay.port)
    far.open()
    running = far.start("echo begin; sleep 2; echo end; (exit 3)", timeout=300)
    far.began(running)
    relay.cut()
    wait_until(lambda: any("was cut" in line for line in running.client.log), "the loss to be noticed")
    wait_until(lambda: any("trying again" in line for line in running.client.log), "a login in vain", 120)
    relay.restore()
    outcome = running.result(90)
    assert outcome.exit == 3 and running.client.text == "begin\nend\n"
    assert sum("was cut" in line for line in running.client.log) == 1


IGNORES_INT = "trap '' INT; touch began; while :; do sleep 0.2; done"


@pytest.mark.parametrize("by", ["its timeout", "a request"])
def test_an_interrupt_that_a_dying_link_lost_is_sent_again(far: Far, by: str) -> None:
    """The interrupt is sent over a link that is already dead.

    That link is reset, and the new link carries the same request.
    """
    relay = far.world.relay(far.server)
    far.host = far.world.spec(far.server, relay.port)
    far.open()
    running = far.start(
        f'sh -c "{IGNORES_INT}"', step="s1", grace=4.0, **({"timeout": 5.0} if by == "its timeout" else {})
    )
    far.began(running)
    wait_until((far.home / "began").exists, "the command")
    relay.cut()
    if by == "a request":
        asked = Running(lambda: cli.interrupt_("w", "s1", host=far.host, grace=4.0))
        told = asked.client
    else:
        told = running.client
    wait_until(lambda: any(kind == "progress" for kind, _ in told.events), "the interrupt to be sent")
    assert not list(far.session().glob("steps/s1.grace")), "it has not arrived"
    relay.drop()
    relay.restore()
    if by == "a request":
        assert asked.result(90).done == "ended"
    outcome = running.result(90)
    assert outcome.state == ("timeout" if by == "its timeout" else "failed"), outcome
    assert far.text("echo on") == "on\n"


def sleeping(server: Server, host: str, seconds: float) -> None:
    """Imitate a sleeping laptop: the server, its ssh and their master are stopped."""
    path = call("host", "resolve", {"name": host}, timeout=60.0)["control_path"]
    master = master_pid(path)
    assert master
    still = [*below(server.peer.pid), master]
    for pid in still:
        with contextlib.suppress(ProcessLookupError):  # a short one has ended meanwhile
            os.kill(pid, signal.SIGSTOP)
    awake = threading.Event()
    awake.wait(seconds)
    for pid in still:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.parametrize("cut_too", [False, True], ids=["link stays", "link is lost"])
def test_a_laptop_that_sleeps_during_a_step(far: Far, cut_too: bool) -> None:
    server = Server()
    server.do("open", host=far.host, name="w")
    running = server.start(
        "run", host=far.host, session="w", command="echo a; sleep 3; echo b; (exit 3)", timeout=60
    )
    wait_until(lambda: "a" in server.text, "its output")
    if cut_too:
        threading.Timer(2.0, far.server.drop).start()
    sleeping(server, far.host, 12)
    outcome = running.result(90)
    assert (outcome["state"], outcome["exit"]) == ("failed", 3) and server.text == "a\nb\n"
    server.peer.close()


@pytest.mark.slow
def test_a_step_that_ended_in_time_while_the_laptop_slept(far: Far) -> None:
    server = Server()
    server.do("open", host=far.host, name="w")
    running = server.start(
        "run", host=far.host, session="w", command="echo a; sleep 1; echo b; (exit 3)", timeout=4
    )
    wait_until(lambda: "a" in server.text, "its output")
    threading.Timer(1.0, far.server.drop).start()
    sleeping(server, far.host, 7)
    outcome = running.result(90)
    assert (outcome["state"], outcome["exit"]) == ("failed", 3)
    server.peer.close()


def test_two_servers_share_a_connection_and_one_is_killed(far: Far) -> None:
    first, second = Server(), Server()
    for server, name in ((first, "a"), (second, "b")):
        server.do("open", host=far.host, name=name)
    assert logins(far.server) == 1
    command = "echo begin; sleep 1; echo end; (exit 3)"
    lost = first.start("run", host=far.host, session="a", command=command, step="s1")
    kept = second.start("run", host=far.host, session="b", command=command, step="s1")
    wait_until(lambda: "begin" in first.text and "begin" in second.text, "both steps")
    os.kill(first.peer.pid, signal.SIGKILL)
    with pytest.raises(PeerLost):
        lost.result(60)
    assert kept.result(60)["exit"] == 3 and second.text == "begin\nend\n"
    again = second.do("run", host=far.host, session="a", command="echo no", step="s1")
    assert (again["exit"], again["resumed"]) == (3, True)
    assert logins(far.server) == 1
    second.peer.close()


def test_a_socket_that_a_crash_left(far: Far) -> None:
    far.open()
    path = far.target.control_path or ""
    far.registry.close()
    cut(far, "master")
    wait_until(lambda: master_pid(path) is None, "the end of the master")
    assert Path(path).exists()
    far.forget()
    assert not far.open().fresh
    assert far.text("echo x") == "x\n"


def test_a_machine_that_reboots_is_told_within_seconds(far: Far) -> None:
    far.open()
    running = far.start("echo begin; sleep 100", step="s1", timeout=300)
    far.began(running)
    boot = (far.session() / "pid").read_text().split()[1]
    server = int(far.tmux("display-message", "-p", "#{pid}"))
    far.server.stop()
    power_off(server)
    far.server.drop()
    # Another process now has the number that the pane had.
    (far.session() / "pid").write_text(f"{os.getpid()} {boot[::-1]}\n")
    began = time.monotonic()
    far.server.start()
    outcome = running.result(90)
    assert outcome.state == "lost" and time.monotonic() - began < 60, "long before the step's own limit"
    far.forget()
    assert far.run("echo again", step="s1").state == "lost"


# Requests that are sent again, and what they leave


def test_a_request_sent_again_does_not_touch_what_the_shell_reads(far: Far) -> None:
    from trainsh_tmux.remote import step_scripts

    far.open()
    running = far.start("until [ -e go ]; do sleep 0.05; done")
    far.began(running)
    channel = far.registry.host(far.host).channel(running.client)
    file = far.session() / "steps" / "s2"
    body = step_scripts.start_step("", "w", "s2", "echo ran >>~/ran", echo="x", secrets={"T": "v"})
    channel.ask(body).wait(60)
    with file.open() as reader, file.with_suffix(".env").open() as secrets:
        channel.ask(body).wait(60)
        assert reader.read() == "echo ran >>~/ran\n" and secrets.read() == "T 1\nv\n"
    (far.home / "go").touch()
    running.result()
    wait_until((far.session() / "steps" / "s2.status").exists, "its end")
    far.text("true")
    assert (far.home / "ran").read_text() == "ran\n"
    assert not list((far.session() / "steps").glob("*.env"))


def test_a_torn_text_is_written_anew(far: Far) -> None:
    far.open()
    (far.session() / "steps" / "s1").write_text("echo ha")
    assert far.text("echo whole", step="s1") == "whole\n"


def test_a_captured_secret_goes_when_the_answer_was_taken(far: Far) -> None:
    far.open()
    options: dict[str, Any] = {"capture": True, "secrets": {"TOKEN": "s3cretValue"}, "step": "s1"}
    assert far.run('echo "<$TOKEN>"', **options).captured == "<s3cretValue>"
    far.forget()  # a runner that ended asks again
    assert far.run('echo "<$TOKEN>"', **options).captured == "<s3cretValue>"
    far.text("true")
    wait_until(lambda: not holding(far.home, "s3cret"), "the value to be gone")
    with pytest.raises(TrainError) as caught:
        far.run('echo "<$TOKEN>"', **options)
    assert caught.value.code == "captured_gone"
    assert far.run('echo "<$TOKEN>"', **options | {"step": "s3"}).captured == "<s3cretValue>"
    far.call(cli.close, "w", host=far.host)
    wait_until(lambda: not holding(far.home, "s3cret"), "the value to be gone")


# Statuses


def test_statuses_over_ssh(far: Far) -> None:
    far.open()
    outcome = far.run("sh -c 'kill -KILL $$'")
    assert (outcome.state, outcome.exit, outcome.reason) == ("failed", 137, "killed by SIGKILL")
    far.text("set -o pipefail")
    assert far.run("false | true").exit == 1
    outcome = far.timed_out("sleep 100 & sleep 100; echo not >~/not", 0.5)
    assert outcome.state == "timeout" and not (far.home / "not").exists()
    command = "echo $$ >~/pid; until [ -e ~/go ]; do sleep 0.05; done; echo on >~/on"
    outcome = far.timed_out(command, 0.5, keep_running=True)
    assert outcome.state == "timeout"
    (far.home / "go").touch()
    wait_until((far.home / "on").exists, "the step that was left running")
    far.open("v")
    outcome = far.run("exit 4", "v")
    assert (outcome.state, outcome.exit) == ("session_ended", 4)
