"""Sessions on other machines: real sshds, links that are cut, and hosts that lack programs."""

import os
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from trainsh_world import World

from far_box import Far, cut, power_off, without
from tmux_box import holding, wait_until
from trainsh_base.errors import Cancelled, MissingProgram, TrainError, Unreachable
from trainsh_base.remote import ssh
from trainsh_base.remote.channel import Channel, compound
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_tmux import cli
from trainsh_tmux.remote import library
from trainsh_tmux.session.registry import Registry
from trainsh_tmux.step.failures import NotStarted


@pytest.fixture
def far(world: World) -> Iterator[Far]:
    """A machine behind sshd."""
    box = Far(world, world.sshd("box"))
    yield box
    box.registry.close()


def test_steps_waits_and_background_over_ssh(far: Far) -> None:
    session = far.open()
    assert session.fresh and session.folder.startswith(str(far.home))
    assert far.text("cd /usr; export A=1; pwd") == "/usr\n"
    assert far.text("echo $PWD $A") == "/usr 1\n"
    assert far.run("(exit 5)").exit == 5
    assert far.run("echo value", capture=True).captured == "value"
    far.run("sleep 0.3; touch ~/there; echo three", background=True)
    assert far.wait(pattern="three", timeout=60).line == "three"
    far.wait(file="~/there", timeout=60)
    far.wait(idle="own", timeout=60)
    far.text('printf %s "$T" >~/got', secrets={"T": 'it\'s\n"a" $x'})
    assert (far.home / "got").read_text() == 'it\'s\n"a" $x'
    assert far.server.log.read_text().count("Accepted ") == 1
    assert far.call(cli.close, "w", host=far.host).done == "closed"


def test_a_secret_is_nowhere_on_the_host(far: Far) -> None:
    far.open()
    running = far.start('sleep 0.7; echo "$TOKEN"', secrets={"TOKEN": "s3cretValue"})
    far.began(running)
    assert "s3cretValue" not in subprocess.run(
        ["ps", "axeww"], capture_output=True, text=True, check=True
    ).stdout.replace("TOKEN=s3cretValue", "")
    assert running.result().state == "ok" and "s3cret" not in running.client.text
    assert any(path.is_file() for path in far.home.rglob("*")) and not holding(far.home, "s3cret")


@pytest.mark.parametrize("name", ["dash", "zsh", "fish", "tcsh", "busybox"])
def test_login_shells(world: World, name: str) -> None:
    far = Far(world, world.sshd("box", shell=world.login_shell(name)))
    far.open()
    assert far.text("cd /usr; x='a b'; pwd") == "/usr\n"
    assert far.text('echo "$PWD $x"') == "/usr a b\n"
    far.registry.close()


@pytest.mark.parametrize(
    "text", ["echo Welcome; printf 'no newline'", 'read -r x; echo "$x"', "cd /nowhere; false"]
)
def test_login_files(far: Far, text: str) -> None:
    (far.home / ".bash_profile").write_text(text + "\n")
    far.open()
    assert far.text("echo x") == "x\n"


def removed(folder: str) -> None:
    """Removes the folder. What was closed a moment ago may still be writing there."""
    wait_until(lambda: subprocess.run(["rm", "-rf", folder], check=False).returncode == 0, "an empty folder")


def test_no_home_at_all(world: World) -> None:
    far = Far(world, world.sshd("box", home=False))
    session = far.open()
    assert session.folder.startswith("/tmp/train-")
    try:
        assert far.text("echo x") == "x\n"
    finally:
        far.call(cli.close, "w", host=far.host)
        far.registry.close()
        removed(session.folder)


def test_a_locale_that_is_not_utf8(world: World) -> None:
    far = Far(world, world.sshd("box"))
    (far.home / ".bash_profile").write_text("export LC_ALL=C LANG=C\n")
    far.open()
    assert far.text("echo 'ü→☃' | od -An -tx1 | tr -d ' '") == "c3bce28692e298830a\n"
    assert far.text("echo 'ü→☃'") == "ü→☃\n"
    far.registry.close()


def small_disk(folder: Path, size: str) -> bool:
    words = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)]
    return os.getuid() == 0 and subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_a_full_disk(far: Far) -> None:
    state = far.home / ".local"
    state.mkdir()
    if not small_disk(state, "400k"):
        pytest.skip("FULL DISKS ARE NOT TESTED HERE: it takes root and mounts")
    far.server.restart()  # from now on it sees the disk
    try:
        far.open()
        running = far.start("sleep 0.5; (exit 6)", step="s1")
        far.began(running)
        fill = os.open(state / "fill", os.O_WRONLY | os.O_CREAT)
        with pytest.raises(OSError, match="space"):
            while True:
                os.write(fill, b"x" * 4096)
        os.close(fill)
        outcome = running.result()
        assert (outcome.state, outcome.exit) == ("failed", 6)
        with pytest.raises(NotStarted) as caught:
            far.run("echo x" * 3000, timeout=6)
        assert "is the disk full?" in caught.value.data["reason"]
        waits = far.start("echo x; : " + "x" * 20_000)
        wait_until(lambda: any("waiting until there is space" in line for line in waits.client.log), "the note")
        (state / "fill").unlink()
        assert waits.result().state == "ok"
        assert far.text("echo room") == "room\n"
        far.call(cli.close, "w", host=far.host)
    finally:
        far.registry.close()
        subprocess.run(["umount", "-l", str(state)], check=True)


def test_a_container_whose_home_is_on_overlayfs(world: World) -> None:
    # GNU tail looks there once a second, unless an option says otherwise.
    home, layers = world.folder / "h-box" / "home", world.folder / "layers"
    script = (
        f"mkdir {layers} && mount -t tmpfs tmpfs {layers} && mkdir {layers}/low {layers}/up {layers}/work &&"
        f" mount -t overlay -o lowerdir={layers}/low,upperdir={layers}/up,workdir={layers}/work overlay {home} &&"
        ' exec "$@"'
    )
    try:
        server = world.sshd("box", prefix=("unshare", "-m", "sh", "-c", script, "sh"))
    except AssertionError:
        pytest.skip("NOT TESTED HERE: no overlayfs")
    far = Far(world, server)
    try:
        far.open()
        assert "overlay" in far.text("stat -f -c %T .") and not (home / ".local").exists()
        times = []
        for _ in range(10):
            began = time.monotonic()
            far.text("true")
            times.append(time.monotonic() - began)
        # If tail looked once a second, each step would take a second, since it begins right after a look. A busy
        # machine delays some steps, but not all.
        assert sorted(times)[3] < 0.7, times
    finally:
        far.registry.close()


def test_a_read_only_home(far: Far) -> None:
    if not small_disk(far.home, "1m"):
        pytest.skip("READ-ONLY HOMES ARE NOT TESTED HERE: it takes root and mounts")
    subprocess.run(["mount", "-o", "remount,ro", str(far.home)], check=True)
    far.server.restart()
    folder = ""
    try:
        folder = far.open().folder
        assert folder.startswith("/tmp/train-")
        assert far.text("echo x") == "x\n"
        far.call(cli.close, "w", host=far.host)
    finally:
        far.registry.close()
        subprocess.run(["umount", "-l", str(far.home)], check=True)
        if folder:
            removed(folder)


def test_no_tmux_on_the_host(world: World) -> None:
    path = without(world, "tmux")
    server = world.sshd("box", settings=(f"SetEnv PATH={path}",))
    for file in (".bashrc", ".profile"):
        (server.home / file).write_text(f"PATH={path}\n")
    far = Far(world, server)
    with pytest.raises(MissingProgram) as caught:
        far.open()
    assert caught.value.exit_status == 9 and caught.value.code == "no_tmux"
    assert "apt-get install -y tmux" in caught.value.hint and "--bootstrap" in caught.value.hint
    (Path(path) / "apt-get").unlink()
    (Path(path) / "apt-get").write_text(f"#!/bin/sh\n[ $1 = update ] || ln -s /usr/bin/tmux {path}/tmux\n")
    (Path(path) / "apt-get").chmod(0o755)
    assert far.open(bootstrap=True).fresh
    assert far.text("echo x") == "x\n"
    far.registry.close()


def test_more_waits_and_sessions_than_a_connection_has_channels(world: World) -> None:
    far = Far(world, world.sshd("box", settings=("MaxSessions 4",)))
    for number in range(8):
        far.open(f"s{number}")
        assert far.text(f"echo {number}", f"s{number}") == f"{number}\n"
    waits = [far.waiting("s0", file=f"/never/{n}", timeout=100) for n in range(12)]
    assert far.text("echo quick", "s7") == "quick\n"
    assert all(wait.running for wait in waits)
    for wait in waits:
        wait.client.cancel()
    for wait in waits:
        with pytest.raises(Cancelled):
            wait.result()
    far.registry.close()


@pytest.mark.parametrize("how", ["master", "sshd", "clients"])
def test_a_cut_during_a_step(far: Far, how: str) -> None:
    far.open()
    running = far.start(
        "for i in 1 2 3 4 5 6; do echo line $i; sleep 0.3; done; echo ran >>~/ran; (exit 3)", step="s"
    )
    far.began(running)
    wait_until(lambda: "line 2" in running.client.text, "the second line")
    cut(far, how)
    outcome = running.result()
    assert (outcome.state, outcome.exit) == ("failed", 3)
    assert running.client.text == "".join(f"line {i}\n" for i in range(1, 7))
    assert sum("was cut" in line for line in running.client.log) == 1
    assert (far.home / "ran").read_text() == "ran\n"


def test_the_rest_of_the_output_arrives_after_a_cut_however_slowly(world: World) -> None:
    """After a cut, the host reports the status at once.

    The output comes over another connection, perhaps much later.
    """
    path = without(world, "tail")
    (Path(path) / "tail").write_text('#!/bin/sh\n[ ! -e ~/slow ] || sleep 1.7\nexec /usr/bin/tail "$@"\n')
    (Path(path) / "tail").chmod(0o755)
    far = Far(world, world.sshd("box", settings=(f"SetEnv PATH={path}",)))
    for file in (".bashrc", ".profile"):
        (far.server.home / file).write_text(f"PATH={path}\n")
    far.open()
    running = far.start("echo first; while [ ! -e ~/go ]; do sleep 0.05; done; seq 100; (exit 3)", step="s")
    wait_until(lambda: "first" in running.client.text, "the first line")
    (far.home / "slow").touch()
    cut(far, "sshd")
    (far.home / "go").touch()
    outcome = running.result()
    assert (outcome.state, outcome.exit) == ("failed", 3)
    assert running.client.text == "first\n" + "".join(f"{n}\n" for n in range(1, 101))
    far.registry.close()


def test_a_cut_during_waits(far: Far) -> None:
    far.open()
    far.run("until [ -e go ]; do sleep 0.05; done; echo ready; touch ~/there; sleep 100", background=True)
    waits = [far.waiting(pattern="ready", timeout=60), far.waiting(file="~/there", timeout=60)]
    far.watched()
    cut(far, "sshd")
    assert all(wait.running for wait in waits)
    (far.home / "go").touch()
    assert waits[0].result().line == "ready"
    waits[1].result()


@pytest.mark.slow
def test_exactly_once_at_random_instants(far: Far) -> None:
    """The connection is killed many times, in every way, while steps run one after the other."""
    far.open()
    rng = random.Random(3)
    stop, cuts = threading.Event(), [0]

    def cutter() -> None:
        while not stop.wait(rng.uniform(0.02, 0.25)):
            cut(far, rng.choice(["sshd", "master", "clients", "clients"]))
            cuts[0] += 1

    thread = threading.Thread(target=cutter)
    thread.start()
    count = 100
    try:
        for number in range(count):
            for _ in range(20):
                try:
                    outcome = far.run(
                        f"echo {number} >>~/ran; seq 100; sleep 0.05; echo over; (exit {number})", step=f"n{number}"
                    )
                    break
                except (Unreachable, TrainError) as error:
                    assert error.exit_status in (6, 7, 8), error
            assert outcome.exit == number
            assert far.client.text == "".join(f"{n}\n" for n in range(1, 101)) + "over\n"
    finally:
        stop.set()
        thread.join()
    assert cuts[0] > count // 2
    assert (far.home / "ran").read_text().split() == [str(n) for n in range(count)]


@pytest.mark.parametrize("shell", [["dash"], ["bash", "--posix"], ["busybox", "sh"]])
def test_a_request_cut_at_any_byte_runs_nothing(shell: list[str], tmp_path: Path) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"NOT TESTED HERE: {shell[0]} is not installed")
    ran = tmp_path / "ran"
    body = f"touch {ran}/whole\nrm -rf {ran}/x/y; say 'it''s' \"$((1 + 1))\"; cat <<'E'\n}}\nE\ntouch {ran}/end"
    text = compound(7, body).encode()
    for end in range(len(text)):
        shutil.rmtree(ran, ignore_errors=True)
        (ran / "x" / "y").mkdir(parents=True)
        subprocess.run(shell, input=text[:end], capture_output=True, timeout=20, check=False)
        left = sorted(path.relative_to(ran).as_posix() for path in ran.rglob("*"))
        # A request that lacks only its newline is complete.
        assert left == (["end", "whole", "x"] if end == len(text) - 1 else ["x", "x/y"]), text[:end]


def test_every_request_is_one_compound(far: Far) -> None:
    """If a script's body is cut off, it is a syntax error, whatever it quotes."""
    from trainsh_tmux.remote import scripts, session_scripts, step_scripts

    bodies = [
        session_scripts.open_session("j", "w", "/it's", plain=False, log_limit=9), library.install(), session_scripts.clean(7),
        step_scripts.start_step("j", "w", "s", "echo 'x'\ncat <<E\n}\nE", echo="x\ny", secrets={"A": "it's"}),
        step_scripts.interrupt("j", "w", "s", 3, "timeout", 10), session_scripts.close_session("j", "w"), scripts.listing(),
        session_scripts.new_window("j", "w", log_limit=9), session_scripts.take_back("j", "w"), session_scripts.kill_server("j"),
    ]  # fmt: skip
    for body in bodies:
        text = compound(3, body).encode()
        for end in [*range(0, len(text) - 1, max(1, len(text) // 60)), len(text) - 2]:
            done = subprocess.run(
                ["dash", "-n"], input=text[:end] + b"\n", capture_output=True, timeout=20, check=False
            )
            assert done.returncode != 0 or not text[:end].strip(), text[:end]
        assert subprocess.run(["dash", "-n"], input=text, capture_output=True, check=False).returncode == 0


def test_a_host_that_reboots(far: Far) -> None:
    far.open()
    running = far.start("echo ran >>~/ran; sleep 100", step="s1")
    wait_until(lambda: (far.home / "ran").exists() and (far.home / "ran").read_text() == "ran\n", "the command")
    server = int(far.tmux("display-message", "-p", "#{pid}"))
    far.server.stop()
    power_off(server)
    far.server.drop()
    (far.session() / "pid").write_text(f"{os.getpid()} an-earlier-boot\n")
    far.server.start()
    outcome = running.result(90)
    assert outcome.state == "lost", outcome
    assert (far.home / "ran").read_text() == "ran\n"
    with pytest.raises(TrainError):
        far.run("echo more")
    assert far.open().fresh
    assert far.run("echo ran >>~/ran", step="s1").state == "lost"
    assert (far.home / "ran").read_text() == "ran\n"


def test_a_link_that_is_cut_and_restored(world: World) -> None:
    machine = world.network_host("far")
    far = Far(world, machine.sshd)
    far.open()
    running = far.start("for i in $(seq 30); do echo line $i; sleep 0.5; done; (exit 3)", timeout=90)
    far.began(running)
    wait_until(lambda: "line 2" in running.client.text, "the second line")
    machine.cut()
    wait_until(lambda: any("was cut" in line for line in running.client.log), "the loss to be noticed")
    machine.restore()
    outcome = running.result(90)
    assert outcome.exit == 3
    assert running.client.text == "".join(f"line {i}\n" for i in range(1, 31))
    far.registry.close()


def test_list_shows_all_hosts_and_clean_removes_what_is_over(far: Far) -> None:
    far.world.host(far.server, "box")
    by_name = Far(far.world, far.server, "box")
    by_name.open("a", job="j1")
    by_name.open("b")
    by_name.run("sleep 100", "a", job="j1", background=True, step="train")
    rows = {row.name: row for row in by_name.call(cli.list_)}
    assert (rows["a"].job, rows["a"].state, rows["a"].running) == ("j1", "running", "sleep 100")
    assert (rows["b"].job, rows["b"].state, rows["b"].host) == ("", "open", "box")
    wait_until(lambda: {r.name: r for r in by_name.call(cli.list_)}["a"].seconds >= 1, "a second to pass")
    assert by_name.call(cli.clean, host="box", days=0) == []
    by_name.call(cli.kill, "j1", host="box")
    assert by_name.call(cli.clean, host="box") == []
    [removed] = by_name.call(cli.clean, host="box", days=0)
    assert removed.path.endswith("sessions/train-j1/a") and not Path(removed.path).exists()
    far.server.stop()
    far.server.drop()
    cli.registry = by_name.registry = Registry()
    assert by_name.call(cli.list_) == []
    assert any("box" in line for line in by_name.client.log)
    with pytest.raises(Unreachable):
        by_name.call(cli.list_, host=["box"])


def test_attach_hands_over_the_terminal(far: Far) -> None:
    far.open()
    answer = far.call(cli.attach, "w", host=far.host)
    assert answer.argv[0] == "ssh" and "-tt" in answer.argv and "attach-session" in answer.argv[-1]


def test_a_channel_of_the_machine_itself(world: World) -> None:
    found = Target.local()
    channel = Channel(found, Request())
    assert channel.ask("say $((6 * 7)); say two").wait(60) == ["42", "two"]
    assert channel.ask("cat; say end").wait(60) == ["end"]
    channel.close()
    ssh.disconnect(found)
