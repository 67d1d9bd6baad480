"""The shared connection: opened, refused, checked, and opened again (trainsh_base.remote)."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from trainsh_world import World, end_within, keygen, output_within, read_within, wait_until
from world_sshd import Sshd, free_port

from trainsh_base.errors import Cancelled, CredentialError, TrainError, Unreachable
from trainsh_base.remote import ssh
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.remote.target import Target, ssh_target
from trainsh_base.request import Request, nobody
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.spawn import tool_path


class Person(Request):
    """Answers the questions in order. Remembers the questions and the log lines."""

    def __init__(self, *answers: str) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []
        self.log: list[str] = []
        self._then: tuple[str, Callable[[], object]] | None = None

    def when(self, words: str, then: Callable[[], object]) -> None:
        """Do something, in a thread of its own, as soon as a line of the log says these words."""
        self._then = words, then

    def emit(self, kind: str, **data: object) -> None:
        if kind == "log":
            self.log.append(str(data["message"]))
            if self._then and self._then[0] in self.log[-1]:
                threading.Thread(target=self._then[1]).start()
                self._then = None

    def ask(self, kind: str, message: str, **more: object) -> str:  # type: ignore[override]
        self.asked.append((kind, message))
        if not self.answers:
            raise nobody(message, "")
        return self.answers.pop(0)


def target(world: World, server: Sshd, *options: str, secret: str | None = None, port: int | None = None) -> Target:
    words = shlex.split(world.spec(server, port))
    return ssh_target("box", ["ssh", *options, *words[1:], words[0]], label="box", secret=secret)


def logins(server: Sshd) -> int:
    return server.log.read_text().count("Accepted ")


def say(found: Target, command: str, **more: object) -> bytes:
    child = ssh.start(found, command, **more)  # type: ignore[arg-type]
    child.close_stdin()
    data = output_within(child)
    end_within(child)
    return data


def test_one_login_serves_every_channel(world: World) -> None:
    box = world.sshd("box")
    found = target(world, box)
    assert say(found, "echo one") == b"one\n"
    assert say(found, "echo two") == b"two\n"
    assert logins(box) == 1


def test_many_at_once_log_in_once(world: World) -> None:
    box = world.sshd("box")
    found = target(world, box)
    results: list[bytes] = []
    threads = [threading.Thread(target=lambda: results.append(say(found, "echo it"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [b"it\n"] * 6
    assert logins(box) == 1


def test_the_connection_outlives_the_process_that_made_it(world: World) -> None:
    box = world.sshd("box")
    found = target(world, box)
    script = (
        "import sys, msgspec; from trainsh_base.remote import ssh; from trainsh_base.remote.target import Target\n"
        "ssh.ensure_master(msgspec.json.decode(sys.argv[1], type=Target)); print('up', flush=True)\n"
        "sys.stdin.read()"
    )
    words = [sys.executable, "-c", script, msgspec.json.encode(found).decode()]
    child = subprocess.Popen(
        words, env=world.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert child.stdout is not None and read_within(child.stdout.fileno(), 100) == b"up\n"
    os.killpg(child.pid, signal.SIGKILL)
    child.wait(60)
    assert say(found, "echo still") == b"still\n"
    assert logins(box) == 1


def test_a_killed_master_is_replaced(world: World) -> None:
    box = world.sshd("box")
    found = target(world, box)
    ssh.ensure_master(found)
    pid = master_pid(found.control_path or "")
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert Path(found.control_path or "").exists(), "a crash leaves the socket"
    assert say(found, "echo again") == b"again\n"
    assert logins(box) == 2


def test_disconnect_ends_it_and_says_whether_there_was_one(world: World) -> None:
    found = target(world, world.sshd("box"))
    assert ssh.disconnect(found) == 0
    ssh.ensure_master(found)
    assert ssh.disconnect(found) == 1
    wait_until(lambda: master_pid(found.control_path or "") is None, "the end of the master")


def test_a_changed_host_key_is_refused_and_explained(world: World) -> None:
    box = world.sshd("box")
    found = target(world, box)
    ssh.ensure_master(found)
    ssh.disconnect(found)
    box.new_host_key()
    box.restart()
    person = Person("yes", "yes")
    with pytest.raises(Unreachable) as caught:
        ssh.ensure_master(found, person, deadline=Deadline.after(60))
    assert caught.value.code == "host_key_changed"
    assert f"{world.known_hosts}, line 1" in caught.value.message
    assert "ssh-keygen -f" in caught.value.hint and "-R" in caught.value.hint
    assert person.asked == [] and logins(box) == 1
    forget = caught.value.hint.partition("old key: ")[2]
    subprocess.run(forget, shell=True, check=True, capture_output=True)  # noqa: S602 - it is to be pasted
    ssh.ensure_master(found, person)
    assert logins(box) == 2


def test_first_contact_asks_as_ssh_is_set_up(world: World) -> None:
    world.strict = "ask"
    box = world.sshd("box")
    found = target(world, box)
    with pytest.raises(Unreachable) as caught:
        ssh.ensure_master(found, Person())
    assert caught.value.code == "host_key_unknown"
    with pytest.raises(Unreachable) as refused:
        ssh.ensure_master(found, Person("no"))
    assert refused.value.code == "host_key_unknown"
    person = Person("yes")
    ssh.ensure_master(found, person)
    kind, question = person.asked[0]
    assert kind == "confirm" and "SHA256:" in question


def password_box(world: World) -> Sshd:
    box = world.sshd("box", password='it\'s "a\\b" $x', keys=False)
    if not box.namespaced:
        pytest.skip("PASSWORDS ARE NOT TESTED HERE: no mount namespaces")
    return box


def test_a_password_is_asked_for_once(world: World) -> None:
    box = password_box(world)
    found = target(world, box)
    person = Person('it\'s "a\\b" $x')
    ssh.ensure_master(found, person)
    assert [kind for kind, _ in person.asked] == ["secret"]
    assert "password" in person.asked[0][1]
    assert say(found, "echo in", request=person) == b"in\n"


def test_a_wrong_password_is_exit_4(world: World) -> None:
    person = Person("a", "b", "c")
    with pytest.raises(CredentialError) as caught:
        ssh.ensure_master(target(world, password_box(world)), person)
    assert caught.value.exit_status == 4 and "password" in caught.value.message
    assert ["not accepted" in question for _, question in person.asked] == [False, True, True]


def test_nobody_to_ask_for_a_password_is_said_and_nothing_hangs(world: World) -> None:
    with pytest.raises(CredentialError) as caught:
        ssh.ensure_master(target(world, password_box(world)), Person())
    assert caught.value.code == "cannot_ask_password"
    assert "--password-secret" in caught.value.hint
    assert list(world.runtime.glob("train/q-*")) == []


def test_a_stored_password_is_used_without_asking(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    if tool_path("secrets") is None:
        pytest.skip("NOT TESTED HERE: train-secrets is not installed")
    box = password_box(world)
    monkeypatch.setenv("BOX_PASSWORD", 'it\'s "a\\b" $x')
    person = Person()
    ssh.ensure_master(target(world, box, secret="BOX_PASSWORD"), person)
    assert person.asked == [] and logins(box) == 1


def test_a_stored_password_that_is_wrong_is_tried_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    if tool_path("secrets") is None:
        pytest.skip("NOT TESTED HERE: train-secrets is not installed")
    box = password_box(world)
    monkeypatch.setenv("BOX_PASSWORD", "no")
    with pytest.raises(CredentialError) as caught:
        ssh.ensure_master(target(world, box, secret="BOX_PASSWORD"), Person())
    assert caught.value.code == "password_refused" and "train secrets set BOX_PASSWORD" in caught.value.hint
    assert box.log.read_text().count("Failed password") <= 1


def test_a_stored_password_that_is_missing_is_said(world: World) -> None:
    if tool_path("secrets") is None:
        pytest.skip("NOT TESTED HERE: train-secrets is not installed")
    with pytest.raises(TrainError) as caught:
        ssh.ensure_master(target(world, password_box(world), secret="NO_SUCH_SECRET"), Person())
    assert caught.value.exit_status == 3 and "NO_SUCH_SECRET" in caught.value.message


def test_a_jump_host_may_ask_too(world: World) -> None:
    jump = world.sshd("jump", password="pw of jump", keys=False)
    if not jump.namespaced:
        pytest.skip("PASSWORDS ARE NOT TESTED HERE: no mount namespaces")
    person = Person("pw of jump")
    found = target(world, world.sshd("box"), "-o", "ProxyJump=jump")
    assert say(found, "echo far", request=person) == b"far\n"
    assert len(person.asked) == 1 and "127.0.0.1" in person.asked[0][1]


def test_a_key_that_only_the_agent_has(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agent, key = world.folder / "agent", world.folder / "agent_key"
    subprocess.run(["ssh-agent", "-a", str(agent)], env=world.env, check=True, capture_output=True)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
    keygen(key)
    subprocess.run(["ssh-add", "-q", str(key)], check=True)
    box = world.sshd("box", keys=False)
    box.authorized_keys.write_text(key.with_suffix(".pub").read_text())
    key.unlink()
    options = ["-o", f"UserKnownHostsFile={world.known_hosts}", "-o", "StrictHostKeyChecking=accept-new"]
    plain = ["ssh", "-F", "none", *options, "-p", str(box.port), f"{box.user}@127.0.0.1"]
    assert say(ssh_target("box", plain), "echo it") == b"it\n"


def test_a_passphrase_is_asked_for(world: World) -> None:
    box = world.sshd("box", keys=False)
    locked = world.folder / "locked"
    keygen(locked, "-N", "sesame street")
    box.authorized_keys.write_text(locked.with_suffix(".pub").read_text())
    person = Person("sesame street")
    found = ssh_target("box", [word if word != str(world.key) else str(locked) for word in target(world, box).argv])
    ssh.ensure_master(found, person)
    assert "passphrase" in person.asked[0][1]


def test_a_refused_key_is_exit_4_and_names_what_is_accepted(world: World) -> None:
    box = world.sshd("box", keys=False)
    with pytest.raises(CredentialError) as caught:
        ssh.ensure_master(target(world, box), Person(), deadline=Deadline.after(60))
    assert "publickey" in caught.value.message and "ssh -v" in caught.value.hint


def test_a_dead_port_is_told_at_once(world: World) -> None:
    box = world.sshd("box")
    box.stop()
    with pytest.raises(Unreachable) as caught:
        ssh.ensure_master(target(world, box))
    assert caught.value.code == "refused" and caught.value.exit_status == 8


def test_an_unknown_name_is_told(world: World) -> None:
    found = ssh_target("nowhere", ["ssh", "nobody@nowhere.invalid"])
    began = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        ssh.ensure_master(found, Person(), deadline=Deadline.after(60))
    assert caught.value.code == "name_not_resolved" and time.monotonic() - began < 30


def test_a_machine_that_says_nothing_is_told(world: World) -> None:
    box = world.sshd("box")
    relay = world.relay(box)
    relay.cut()
    with pytest.raises(Unreachable) as caught:
        ssh.ensure_master(target(world, box, "-o", "ConnectTimeout=1", port=relay.port))
    assert caught.value.code == "no_answer"


def test_it_tries_again_and_says_so_once(world: World) -> None:
    box = world.sshd("box")
    ssh.ensure_master(target(world, box))
    ssh.disconnect(target(world, box))
    box.stop()
    person = Person()
    person.when("trying again", box.start)
    ssh.ensure_master(target(world, box), person, deadline=Deadline.after(60))
    assert len(person.log) == 2
    assert "trying again" in person.log[0] and "again" in person.log[1]


@pytest.mark.parametrize("rented", [False, True], ids=["never reached", "rented"])
def test_a_refused_connection_is_final_unless_the_machine_may_be_starting(world: World, rented: bool) -> None:
    box = world.sshd("box")
    box.stop()
    began = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        found = msgspec.structs.replace(target(world, box), rented=rented)
        ssh.ensure_master(found, Person(), deadline=Deadline.after(2 if rented else 60))
    took = time.monotonic() - began
    assert caught.value.code == "refused" and (took >= 2 if rented else took < 50)


def test_the_folder_of_sockets_keeps_nothing_of_machines_long_unused_or_of_ended_processes(world: World) -> None:
    found = target(world, world.sshd("box"))
    folder = world.runtime / "train"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ended = subprocess.Popen(["true"])
    ended.wait()
    old = time.time() - ssh.KEPT - 60
    gone = ["m-0123.reached", ".m-0123.lock", f"ask-{ended.pid}-1f", f"e-{ended.pid}-2f"]
    kept = ["m-4567.reached", ".m-4567.lock", f"ask-{os.getpid()}-1f"]
    for name in gone + kept:
        (folder / name).touch()
        if name != "m-4567.reached":
            os.utime(folder / name, (old, old))
    (folder / f"q-{ended.pid}-3").mkdir()
    os.utime(folder / f"q-{ended.pid}-3", (old, old))
    ssh.ensure_master(found)
    names = {path.name for path in folder.iterdir()}
    assert set(kept) < names and not names & {*gone, f"q-{ended.pid}-3"}
    assert Path(f"{found.control_path}.reached").exists()


def test_it_gives_up_when_the_time_is_over(world: World) -> None:
    box = world.sshd("box")
    ssh.ensure_master(target(world, box))
    ssh.disconnect(target(world, box))
    box.stop()
    began = time.monotonic()
    with pytest.raises(Unreachable):
        ssh.ensure_master(target(world, box), Person(), deadline=Deadline.after(1))
    assert 1 <= time.monotonic() - began < 30


def test_a_cancelled_login_leaves_nothing(world: World) -> None:
    box = world.sshd("box")
    relay = world.relay(box)
    relay.cut()
    person = Person()
    threading.Timer(0.5, person.cancel).start()
    found = target(world, box, port=relay.port)
    with pytest.raises(Cancelled):
        ssh.ensure_master(found, person, deadline=Deadline.after(60))
    assert list(world.runtime.glob("train/q-*")) == []
    assert master_pid(found.control_path or "") is None


def test_a_question_ends_with_the_process_that_would_answer(world: World) -> None:
    box = password_box(world)
    script = (
        "import sys, time, msgspec; from trainsh_base.remote import ssh; from trainsh_base.request import Request\n"
        "from trainsh_base.remote.target import Target\n"
        "class Slow(Request):\n"
        "    def ask(self, *words, **more):\n        print('asked', flush=True); time.sleep(600)\n"
        "ssh.ensure_master(msgspec.json.decode(sys.argv[1], type=Target), Slow())"
    )
    words = [sys.executable, "-c", script, msgspec.json.encode(target(world, box)).decode()]
    child = subprocess.Popen(words, env=world.env, stdout=subprocess.PIPE)
    assert child.stdout is not None and read_within(child.stdout.fileno(), 100) == b"asked\n"
    child.kill()
    child.wait(60)

    def waiting() -> list[str]:
        return [words for words in command_lines(world) if "/askpass" in words or f"-p {box.port}" in words]

    wait_until(lambda: not waiting(), "the end of askpass and of its ssh")


def command_lines(world: World) -> list[str]:
    """The command lines of this world's processes: other tests ask for passwords at the same time."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"TRAINSH_WORLD={world.mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_through_a_jump_host(world: World) -> None:
    jump, box = world.sshd("jump"), world.sshd("box")
    found = target(world, box, "-o", "ProxyJump=jump")
    assert say(found, "echo far") == b"far\n"
    assert logins(jump) == 1 and logins(box) == 1


def test_through_a_proxy_command(world: World) -> None:
    world.sshd("jump")
    box = world.sshd("box")
    found = target(world, box, "-o", "ProxyCommand=ssh -W %h:%p jump")
    assert say(found, "echo far") == b"far\n"


def test_a_dead_jump_host_is_unreachable(world: World) -> None:
    jump, box = world.sshd("jump"), world.sshd("box")
    jump.stop()
    with pytest.raises(Unreachable):
        ssh.ensure_master(target(world, box, "-o", "ProxyJump=jump"), Person())


def test_a_bad_option_names_itself(world: World) -> None:
    box = world.sshd("box")
    with pytest.raises(TrainError) as caught:
        ssh.ensure_master(target(world, box, "-o", "NoSuchOption=yes"), Person(), deadline=Deadline.after(60))
    assert caught.value.code == "bad_ssh" and "nosuchoption" in caught.value.message.lower()


def test_nothing_of_the_persons_own_ssh_is_written(world: World) -> None:
    home = Path.home() / ".ssh"
    before = sorted(path.name for path in home.iterdir()) if home.exists() else None
    ssh.ensure_master(target(world, world.sshd("box")))
    assert (sorted(path.name for path in home.iterdir()) if home.exists() else None) == before


def test_no_ssh_at_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(world.home))
    with pytest.raises(TrainError) as caught:
        ssh.ensure_master(ssh_target("box", ["ssh", "-p", str(free_port()), "me@127.0.0.1"]))
    assert caught.value.exit_status == 9


def test_a_master_that_is_stopped_is_replaced(world: World) -> None:
    box = world.sshd("box")
    found = target(world, box)
    ssh.ensure_master(found)
    pid = master_pid(found.control_path or "")
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        assert say(found, "echo again") == b"again\n"
    finally:
        with contextlib.suppress(ProcessLookupError):  # who replaced it may have ended it
            os.kill(pid, signal.SIGKILL)
    assert logins(box) == 2


def test_the_connection_ends_by_itself_when_nobody_uses_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINSH_SSH_PERSIST", "1s")
    found = target(world, world.sshd("box"))
    assert say(found, "echo it") == b"it\n"
    wait_until(lambda: master_pid(found.control_path or "") is None, "the end of the master")


def test_aes_gcm_is_what_the_connection_uses(world: World) -> None:
    box = world.sshd("box", settings=("LogLevel DEBUG1",))
    ssh.ensure_master(target(world, box))
    assert "cipher: aes128-gcm@openssh.com" in box.log.read_text()


def test_ciphers_that_were_chosen_are_used(world: World) -> None:
    box = world.sshd("box", settings=("LogLevel DEBUG1",))
    world.alias("box", box.port, box.user, box.address, "Ciphers aes256-ctr")
    ssh.ensure_master(ssh_target("box", ["ssh", "box"]))
    assert "cipher: aes256-ctr" in box.log.read_text()


def test_a_live_master_of_the_user_s_own_is_used(world: World) -> None:
    box = world.sshd("box")
    own = world.folder / "own"
    world.alias("box", box.port, box.user, box.address, f"ControlPath {own}-%p", "ControlMaster auto")
    subprocess.run(["ssh", "-f", "-N", "box"], env=world.env, check=True, stdin=subprocess.DEVNULL, timeout=60)
    found = ssh_target("box", ["ssh", "box"])
    assert say(found, "echo it") == b"it\n" and logins(box) == 1
    pid = master_pid(f"{own}-{box.port}")
    assert pid == master_pid(found.control_path or "") and ssh.disconnect(found) == 0
    assert master_pid(f"{own}-{box.port}") == pid, "it is not ours to end"
    assert say(found, "echo it") == b"it\n" and logins(box) == 1
    os.kill(pid or 0, signal.SIGKILL)
    assert say(found, "echo again") == b"again\n" and logins(box) == 2
    subprocess.run(["ssh", "-O", "exit", "box"], env=world.env, capture_output=True, check=False, timeout=60)


def test_a_rented_machine_has_a_connection_of_its_own(world: World) -> None:
    box = world.sshd("box")
    world.alias("box", box.port, box.user, box.address, f"ControlPath {world.folder}/own-%p", "ControlMaster auto")
    subprocess.run(["ssh", "-f", "-N", "box"], env=world.env, check=True, stdin=subprocess.DEVNULL, timeout=60)
    found = ssh_target("box", ["ssh", "box"], rented=True)
    assert say(found, "echo it") == b"it\n" and logins(box) == 2
    subprocess.run(["ssh", "-O", "exit", "box"], env=world.env, capture_output=True, check=False, timeout=60)
