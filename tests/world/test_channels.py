"""Channels over a shared connection: many at once, over any login shell, and when the connection breaks."""

import contextlib
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest
from test_login import Person, logins, say, target
from trainsh_world import World, end_within, output_within, read_within, wait_until

from trainsh_base.errors import Cancelled, RemoteError, TimedOut, Unreachable
from trainsh_base.remote import control_socket, exec_channel, ssh
from trainsh_base.remote.control_socket import Session, master_pid
from trainsh_base.remote.ssh_config import sent_file
from trainsh_base.remote.target import ssh_target
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.spawn import Child


def end(children: list[Child]) -> None:
    for child in children:
        child.end()
        os.close(child.stdout)
        end_within(child)


def answers(child: Child, text: bytes = b"x") -> bool:
    os.write(child.stdin, text)
    return read_within(child.stdout, 100) == text


def test_more_channels_than_one_connection_allows(world: World) -> None:
    box = world.sshd("box", settings=("MaxSessions 3",))
    found = target(world, box)
    children = [ssh.start(found, "exec cat") for _ in range(10)]
    try:
        assert all(answers(child) for child in children)
        assert logins(box) == 4
        assert ssh.disconnect(found) == 4
    finally:
        end(children)


def test_the_default_of_ten_is_no_limit(world: World) -> None:
    box = world.sshd("box")
    found = target(world, box)
    children: list[Child] = []
    threads = [threading.Thread(target=lambda: children.append(ssh.start(found, "exec cat"))) for _ in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    try:
        assert len(children) == 25 and all(answers(child) for child in children)
        assert logins(box) == 3
    finally:
        end(children)


def test_where_a_login_needs_a_question_channels_queue(world: World) -> None:
    box = world.sshd("box", settings=("MaxSessions 2",), password="pw", keys=False)
    if not box.namespaced:
        pytest.skip("PASSWORDS ARE NOT TESTED HERE: no mount namespaces")
    person = Person("pw")
    found = target(world, box)
    children = [ssh.start(found, "exec cat", request=person) for _ in range(2)]
    with pytest.raises(TimedOut) as caught:
        ssh.start(found, "exec cat", request=person, deadline=Deadline.after(3))
    assert caught.value.code == "no_channel"
    threading.Timer(0.5, children.pop().end).start()
    children.append(ssh.start(found, "exec cat", request=person, deadline=Deadline.after(60)))
    end(children)
    assert len(person.asked) == 1 and logins(box) == 1


def test_bulk_data_takes_another_connection_when_there_is_one(world: World) -> None:
    found = target(world, world.sshd("box", settings=("MaxSessions 2",)))
    children = [ssh.start(found, "exec cat") for _ in range(3)]
    bulk = ssh.start(found, "exec cat", bulk=True)
    assert f"{found.control_path}.2" in bulk.argv
    end([*children, bulk])


@pytest.mark.parametrize("name", ["bash", "dash", "zsh", "fish", "tcsh", "ksh", "busybox"])
def test_login_shells(world: World, name: str) -> None:
    box = world.sshd("box", shell=world.login_shell(name))
    found = target(world, box)
    assert say(found, "echo 'a  b' \"c\"; exit 0") == b"a  b c\n"
    child = ssh.start(found, "exec sh")
    os.write(child.stdin, b'printf "%s\\n" "$((6 * 7))"\n')
    assert read_within(child.stdout, 100) == b"42\n"
    end([child])


@pytest.mark.parametrize("name", ["bash", "fish", "zsh"])
def test_login_files_that_print_are_not_heard(world: World, name: str) -> None:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"NOT TESTED HERE: {name} is not installed")
    box = world.sshd("box", shell=path)
    fish = box.home / ".config" / "fish"
    fish.mkdir(parents=True)
    for file in (box.home / ".bashrc", box.home / ".zshenv", fish / "config.fish"):
        file.write_text("echo 'Welcome, trainsh-'\nprintf 'no newline'\necho oops >&2\n")
    assert say(target(world, box), "echo clean") == b"clean\n"


def test_every_byte_arrives(world: World) -> None:
    found = target(world, world.sshd("box"))
    data = bytes(range(256)) * 4000
    child = ssh.start(found, "exec cat")
    writer = threading.Thread(target=lambda: (os.write(child.stdin, data), child.close_stdin()))
    writer.start()
    assert output_within(child) == data
    writer.join(60)
    assert end_within(child) == 0


@pytest.mark.parametrize("direct", [True, False])
def test_a_command_ends_as_over_ssh(world: World, direct: bool) -> None:
    """Over the control socket, and by `ssh -S` where it could not be kept which variables ssh sends."""
    found = target(world, world.sshd("box"))
    if not direct:
        Path(sent_file(found.control_path or "")).mkdir()  # no file can be written there
    ssh.ensure_master(found)
    child = ssh.start(found, "cat; exit 7")
    assert isinstance(child, Session) == direct and child.poll() is None
    os.write(child.stdin, b"data")
    child.close_stdin()
    assert output_within(child) == b"data" and end_within(child) == 7
    child = ssh.start(found, "echo $$; exec sleep 600")
    pid = int(read_within(child.stdout, 100))
    child.end()
    # The output may come before ssh handles signals itself; then the signal ends it.
    assert end_within(child) in ((255,) if direct else (255, -signal.SIGTERM))
    os.close(child.stdout)
    child = ssh.start(found, "exec cat")
    master = master_pid(found.control_path or "")
    assert master is not None
    os.kill(master, signal.SIGKILL)
    assert output_within(child) == b"" and end_within(child) == 255
    os.kill(pid, signal.SIGKILL)


def test_the_host_gets_the_variables_that_ssh_would_send(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    box = world.sshd("box", settings=("AcceptEnv *",))
    world.alias("box", box.port, box.user, box.address, "SendEnv X_* LANG", 'SetEnv "X_SET=a b" Y=c')
    monkeypatch.setenv("X_ONE", "new\nline \udcff")
    monkeypatch.setenv("Z_ONE", "not sent")
    found = ssh_target("box", ["ssh", "box"])
    ssh.ensure_master(found)

    def given() -> tuple[bool, bytes]:
        child = ssh.start(found, "env -0")
        names = (b"X_", b"Y=", b"Z_", b"TERM=")
        entries = output_within(child).split(b"\0")
        end_within(child)
        return isinstance(child, Session), b"\0".join(sorted(each for each in entries if each.startswith(names)))

    direct, found_directly = given()
    Path(sent_file(found.control_path or "")).unlink()
    by_ssh, found_by_ssh = given()
    assert direct and not by_ssh and found_directly == found_by_ssh
    assert found_directly == b"X_ONE=new\nline \xff\0X_SET=a b\0Y=c"


def test_a_master_of_another_kind_is_left_to_ssh(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    found = target(world, world.sshd("box"))
    ssh.ensure_master(found)
    monkeypatch.setattr(control_socket, "VERSION", 5)
    monkeypatch.setattr(exec_channel, "master_pid", lambda _path: 1)
    child = exec_channel.open_channel(found, "echo it", found.control_path or "", Person(), Deadline.after(60), b"")
    assert not isinstance(child, Session) and output_within(child) == b"it\n"
    end_within(child)


@pytest.mark.parametrize("shell", ["/usr/sbin/nologin", "/bin/false"])
def test_an_account_that_runs_no_commands(world: World, shell: str) -> None:
    box = world.sshd("box", shell=shell)
    with pytest.raises(RemoteError) as caught:
        ssh.start(target(world, box), "echo it")
    assert caught.value.code == "shell"


def test_what_a_forced_command_printed_is_shown(world: World) -> None:
    box = world.sshd("box", settings=("ForceCommand echo 'Please login as the user \"ubuntu\"'; echo; sleep 1",))
    with pytest.raises(RemoteError) as caught:
        ssh.start(target(world, box), "echo it")
    assert caught.value.code == "shell" and 'Please login as the user "ubuntu"' in caught.value.message
    assert "ubuntu" not in caught.value.hint


def test_an_account_without_a_home(world: World) -> None:
    box = world.sshd("box", home=False)
    assert say(target(world, box), "echo it") == b"it\n"


def test_a_login_file_that_hangs_runs_into_the_limit(world: World) -> None:
    box = world.sshd("box")
    (box.home / ".bashrc").write_text("sleep 60\n")
    ssh.ensure_master(target(world, box))  # the login itself takes nothing of the two seconds
    with pytest.raises(TimedOut) as caught:
        ssh.start(target(world, box), "echo it", deadline=Deadline.after(2))
    assert caught.value.code == "shell"


def test_opening_a_channel_can_be_cancelled(world: World) -> None:
    box = world.sshd("box")
    (box.home / ".bashrc").write_text("sleep 60\n")
    person = Person()
    threading.Timer(1.0, person.cancel).start()
    with pytest.raises(Cancelled):
        ssh.start(target(world, box), "echo it", request=person)


def test_a_killed_master_ends_its_channels_and_the_next_is_new(world: World) -> None:
    box = world.sshd("box")
    found = target(world, box)
    child = ssh.start(found, "exec cat")
    pid = master_pid(found.control_path or "")
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert read_within(child.stdout, 10) == b""
    assert end_within(child) == 255
    again = ssh.start(found, "exec cat")
    assert answers(again) and logins(box) == 2
    end([again])


def test_a_killed_sshd_is_noticed_at_once(world: World) -> None:
    box = world.sshd("box")
    found = target(world, box)
    child = ssh.start(found, "exec cat")
    box.drop()
    assert read_within(child.stdout, 10) == b"" and end_within(child) == 255
    assert say(found, "echo back", deadline=Deadline.after(60)) == b"back\n"


def test_it_waits_for_a_machine_that_reboots(world: World) -> None:
    box = world.sshd("box")
    found = target(world, box)
    child = ssh.start(found, "exec cat")
    box.stop()
    box.drop()
    assert end_within(child) == 255
    person = Person()
    person.when("trying again", box.start)
    assert say(found, "echo up", request=person, deadline=Deadline.after(60)) == b"up\n"
    assert sum("trying again" in line for line in person.log) == 1


def test_a_dead_peer_is_noticed_in_seconds(world: World) -> None:
    box = world.sshd("box")
    relay = world.relay(box)
    child = ssh.start(target(world, box, port=relay.port), "exec cat")
    relay.cut()
    assert read_within(child.stdout, 10) == b""
    end_within(child)
    with pytest.raises(Unreachable):
        ssh.ensure_master(target(world, box, "-o", "ConnectTimeout=1", port=relay.port), deadline=Deadline.after(1))


def test_a_short_cut_is_not_even_noticed(world: World) -> None:
    box = world.sshd("box")
    relay = world.relay(box)
    child = ssh.start(target(world, box, port=relay.port), "exec cat")
    relay.cut()
    os.write(child.stdin, b"held")
    time.sleep(1)
    relay.restore()
    assert read_within(child.stdout, 10) == b"held"
    end([child])


def test_a_link_that_is_cut_and_restored(world: World) -> None:
    far = world.network_host("far")
    found = target(world, far.sshd)
    child = ssh.start(found, "exec cat")
    assert answers(child)
    far.cut()
    assert read_within(child.stdout, 10) == b"" and end_within(child) == 255
    person = Person()
    person.when("trying again", far.restore)
    assert say(found, "echo back", request=person, deadline=Deadline.after(90)) == b"back\n"
    assert any("trying again" in line for line in person.log)


def test_a_new_address_on_our_side(world: World) -> None:
    far = world.network_host("far")
    found = target(world, far.sshd)
    child = ssh.start(found, "exec cat")
    assert answers(child)
    far.readdress()
    assert read_within(child.stdout, 10) == b"" and end_within(child) == 255
    assert say(found, "echo back", deadline=Deadline.after(60)) == b"back\n"


def test_a_slow_link_costs_one_round_trip_a_request(world: World) -> None:
    far = world.network_host("far", delay=0.025)
    child = ssh.start(target(world, far.sshd), "exec cat")
    times = []
    for _ in range(10):
        began = time.monotonic()
        assert answers(child)
        times.append(time.monotonic() - began)
    assert 0.05 <= sorted(times)[5] < 0.5
    end([child])


def test_nothing_is_left_in_the_folder_of_sockets(world: World) -> None:
    found = target(world, world.sshd("box"))
    for _ in range(3):
        say(found, "true")
    ssh.disconnect(found)
    folder = world.runtime / "train"
    wait_until(
        lambda: not [path for path in folder.iterdir() if path.suffix not in (".lock", ".reached")],
        "an empty folder",
    )


def kill(pid: int | None) -> None:
    with contextlib.suppress(ProcessLookupError):
        if pid:
            os.kill(pid, signal.SIGKILL)


def test_a_master_killed_at_any_instant_costs_a_login_and_nothing_else(world: World) -> None:
    box = world.sshd("box")
    found = target(world, box)
    ssh.ensure_master(found)
    for number in range(20):
        pid = master_pid(found.control_path or "")
        killer = threading.Timer(number * 0.01, kill, [pid])
        killer.start()
        child = ssh.start(found, "exec cat", deadline=Deadline.after(60))
        killer.join(60)
        wait_until(lambda pid=pid: master_pid(found.control_path or "") != pid, "its end")
        end([child])
        again = ssh.start(found, "exec cat", deadline=Deadline.after(60))
        assert answers(again)
        end([again])
