"""What a host needs, and how it is identified: missing programs, programs in other folders, nodes with a shared
home, agents.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from trainsh_world import World

from far_box import Far, without
from tmux_box import Box, wait_until
from trainsh_base.errors import TrainError
from trainsh_tmux import cli


@pytest.fixture
def far(world: World) -> Iterator[Far]:
    """A machine behind sshd."""
    box = Far(world, world.sshd("box"))
    yield box
    box.registry.close()


def test_a_host_without_ps(world: World) -> None:
    path = without(world, "ps", "pgrep")
    server = world.sshd("box", settings=(f"SetEnv PATH={path}",))
    for name in (".bashrc", ".profile"):
        (server.home / name).write_text(f"PATH={path}\n")
    far = Far(world, server)
    far.open()
    assert far.run("command -v ps").exit != 0
    far.run("sleep 0.5; touch over", background=True)
    far.wait(idle="own", timeout=60)
    assert (far.home / "over").exists()
    assert far.timed_out("sleep 100", 1, grace=20.0).state == "timeout"
    assert far.text("echo on") == "on\n"
    far.call(cli.close, "w", host=far.host)
    far.registry.close()


def test_tmux_where_a_login_shell_finds_it(world: World) -> None:
    path = without(world, "tmux")
    server = world.sshd("box", settings=(f"SetEnv PATH={path}",))
    hidden = server.home / "cluster" / "bin"
    hidden.mkdir(parents=True)
    (hidden / "tmux").symlink_to("/usr/bin/tmux")
    (server.home / ".bashrc").write_text(f"PATH={path}\n")
    (server.home / ".bash_profile").write_text(f"PATH={path}:{hidden}\necho Welcome\n")
    far = Far(world, server)
    far.open()
    assert far.text("echo on") == "on\n"
    far.forget()
    assert far.open().fresh is False
    far.call(cli.close, "w", host=far.host)
    far.registry.close()


def test_tmux_where_a_login_shell_of_csh_finds_it(world: World) -> None:
    path = without(world, "tmux")
    server = world.sshd("box", settings=(f"SetEnv PATH={path}",), shell=world.login_shell("tcsh"))
    hidden = server.home / "bin-of-mine"
    hidden.mkdir(parents=True)
    (hidden / "tmux").symlink_to("/usr/bin/tmux")
    (server.home / ".bashrc").write_text(f"PATH={path}\n")
    (server.home / ".login").write_text(f"setenv PATH {path}:{hidden}\necho Welcome\n")
    far = Far(world, server)
    far.open()
    assert far.text("echo on") == "on\n"
    far.call(cli.close, "w", host=far.host)
    far.registry.close()


def test_programs_that_every_session_needs_are_named(world: World) -> None:
    path = without(world, "tail", "dd")
    server = world.sshd("box", settings=(f"SetEnv PATH={path}",))
    for name in (".bashrc", ".profile"):
        (server.home / name).write_text(f"PATH={path}\n")
    far = Far(world, server)
    with pytest.raises(TrainError) as caught:
        far.open()
    assert caught.value.code == "no_programs" and caught.value.message.endswith(": dd tail")
    far.registry.close()


def test_a_number_that_another_process_has_is_no_session(box: Box) -> None:
    """A container is restarted during a step: the boot is the same, but another process has the pane's pid."""
    box.open()
    running = box.start("sleep 100", step="s1")
    box.began(running)
    box.forget()
    _, start, node = (box.session() / "pid").read_text().split()
    os.kill(int(box.tmux("display-message", "-p", "#{pid}")), 9)
    other = subprocess.Popen(["sleep", "100"])
    wait_until(lambda: (box.session() / "state").read_text().startswith("hung up"), "the session's end to be noted")
    try:
        (box.session() / "pid").write_text(f"{other.pid} {start} {node}\n")
        assert box.run("", step="s1", only_ask=True).state == "lost"
        assert [row for row in box.call(cli.list_, host=["local"]) if row.state != "ended"] == []
        held = box.call(cli.holds, sessions=["w"], steps=["s1"])
        assert held.sessions["w"].state == "gone" and held.steps["s1"].state == "lost"
        assert box.open().fresh and box.text("pwd") == f"{box.home}\n"
    finally:
        other.kill()
        other.wait()


def test_a_session_of_another_node_is_told(box: Box) -> None:
    """Two machines share a home: the name belongs to the other machine's session, and nothing runs twice."""
    box.open(job="j1")
    box.text("echo ran >>ran", step="s1", job="j1")
    box.call(cli.close, "w", job="j1")
    root = box.home / ".local/state/tmux-trainsh"
    (box.session(job="j1") / "pid").write_text("1 1 login1.boot.1\n")
    (root / "owner").write_text("login1.boot.1\n")
    box.forget()
    with pytest.raises(TrainError) as caught:
        box.run("echo ran >>ran", step="s1", job="j1")
    assert caught.value.code == "other_node" and "login1" in caught.value.message
    session = box.open(job="j1")
    assert session.fresh and "login1" in "".join(session.notes)
    assert "/on/" in session.folder
    assert (box.home / "ran").read_text() == "ran\n"
    assert box.text("echo here", job="j1") == "here\n"


def test_the_newest_agent_is_reached(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agents = []
    for name in ("one", "two"):
        path = tmp_path / name
        agents.append(subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL))
        wait_until(path.exists, "the agent")
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "one"))
        box.open()
        assert box.run("ssh-add -l").exit == 1, "it has no keys, and is there"
        agents[0].kill()
        agents[0].wait()
        assert box.run("ssh-add -l").exit == 2
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "two"))
        box.forget()
        box.open()
        assert box.run("ssh-add -l").exit == 1
    finally:
        for agent in agents:
            agent.kill()
            agent.wait()


def test_the_machine_keeps_its_token(far: Far) -> None:
    first = far.open()
    far.forget()
    again = far.open()
    assert first.machine and (again.machine, again.node) == (first.machine, first.node)
    assert again.session == first.session
    far.call(cli.close, "w", host=far.host)
    assert far.open().session != first.session


def test_a_step_that_waits_for_the_terminal_is_noticed(box: Box) -> None:
    box.open()
    running = box.start("read -r answer; echo $answer")
    box.began(running)
    wait_until(lambda: any("attach" in str(data) for _, data in running.client.events), "the note that it reads")
    box.keys("yes", "Enter")
    assert running.result().state == "ok"


def test_sockets_of_jobs_that_are_over_go(box: Box) -> None:
    box.open(job="j1")
    folder = box.folder / "tmux" / f"tmux-{os.getuid()}"
    assert (folder / "train-j1").exists()
    box.call(cli.close, "w", job="j1")
    assert not (folder / "train-j1").exists()
