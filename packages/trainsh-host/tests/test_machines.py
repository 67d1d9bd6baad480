"""Tests train-host with real machines: every stage can fail by itself, and commands return their own exit
status.
"""

import contextlib
import json
import os
import pty
import select
import subprocess
import threading
import time
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from trainsh_world import World, read_within, wait_until
from world_sshd import Sshd

from trainsh_base.remote.target import Target

STAGES = [
    "name",
    "port",
    "host key",
    "authentication",
    "shell",
    "tmux",
    "processes",
    "rsync",
    "rclone",
    "GPU",
    "disk",
]


def stages(world: World, name: str, status: int) -> dict[str, dict[str, object]]:
    done = world.run("train-host", "test", name, "--json", check=False)
    assert done.status == status, done.out + done.err
    found = json.loads(done.out)
    assert [stage["name"] for stage in found] == STAGES
    return {stage["name"]: stage for stage in found}


def failed(found: dict[str, dict[str, object]]) -> list[str]:
    return [name for name, stage in found.items() if stage["state"] == "failed"]


def test_a_machine_in_order(world: World) -> None:
    world.host(world.sshd("box"))
    found = stages(world, "box", 0)
    assert failed(found) == [] and found["tmux"]["state"] == "ok" and "free" in str(found["disk"]["detail"])
    again = stages(world, "box", 0)
    assert again["authentication"]["detail"] == "connected before"


def test_the_name_is_wrong(world: World) -> None:
    world.host(world.sshd("box"), hostname="nowhere.invalid")
    found = stages(world, "box", 8)
    assert failed(found) == ["name"] and found["name"]["fix"] and found["disk"]["state"] == "skipped"


def test_the_port_is_closed(world: World) -> None:
    box = world.sshd("box")
    world.host(box)
    box.stop()
    found = stages(world, "box", 8)
    assert failed(found) == ["port"] and found["name"]["state"] == "ok"


def test_the_host_key_changed(world: World) -> None:
    box = world.sshd("box")
    world.host(box)
    stages(world, "box", 0)
    world.run("train-host", "disconnect", "box")
    box.new_host_key()
    box.restart()
    found = stages(world, "box", 8)
    assert failed(found) == ["host key"] and "ssh-keygen" in str(found["host key"]["fix"])
    assert found["port"]["state"] == "ok" and found["authentication"]["state"] == "skipped"


SHED = """#!/bin/sh
# summary: one machine
case $1 in
schema) echo '{"name": "shed", "provides": ["hosts"], "commands": {"resolve": {"params": {"properties": {}}}}}' ;;
resolve) cat >/dev/null; cat "$HOME/target" ;;
*) exit 2 ;;
esac
"""


def test_a_changed_key_of_an_instance_is_refused(world: World) -> None:
    """The first host key of an instance is accepted into a file of its own. An instance with another disk has
    another file.
    """
    box = world.sshd("box")
    tool = world.folder / "bin" / "train-shed"
    tool.parent.mkdir(exist_ok=True)
    tool.write_text(SHED)
    tool.chmod(0o755)

    def connect(machine: str) -> Any:
        argv = ["ssh", "-p", str(box.port), "-i", str(world.key), f"{box.user}@{box.address}"]
        target = {"name": "shed:1", "kind": "ssh", "argv": argv, "rented": True, "machine": machine}
        (Path(world.home) / "target").write_text(json.dumps(target))
        world.run("train-host", "disconnect", "--all")
        return world.run("train-host", "run", "shed:1", "--", "true", check=False)

    for _ in range(2):
        done = connect("shed-1-a")
        assert done.status == 0, done.err
    box.new_host_key()
    box.restart()
    refused = connect("shed-1-a")
    assert refused.status == 8 and "the host key of shed:1 is not the known one" in refused.err, refused.err
    assert connect("shed-1-b").status == 0


def test_the_key_is_refused(world: World) -> None:
    world.host(world.sshd("box", keys=False))
    found = stages(world, "box", 4)
    assert failed(found) == ["authentication"] and found["host key"]["state"] == "ok"


def test_the_shell_runs_nothing(world: World) -> None:
    world.host(world.sshd("box", shell="/bin/false"))  # noqa: S604 - /bin/false is the login shell of the account
    found = stages(world, "box", 7)
    assert failed(found) == ["shell"] and found["authentication"]["state"] == "ok"


def test_the_home_is_missing(world: World) -> None:
    world.host(world.sshd("box", home=False))
    found = stages(world, "box", 7)
    assert failed(found) == ["disk"] and found["shell"]["state"] == "ok"


def test_behind_a_jump_host(world: World) -> None:
    world.host(world.sshd("gate"))
    world.host(world.sshd("box"), jump_host="gate")
    found = stages(world, "box", 0)
    assert "gate" in str(found["port"]["detail"]) or "ssh" in str(found["port"]["detail"])


def test_a_test_for_people_has_the_fix_below(world: World) -> None:
    box = world.sshd("box")
    world.host(box)
    box.stop()
    done = world.run("train-host", "test", "box", check=False)
    assert "-> is " in done.out and "\x1b" not in done.out and done.status == 8


@pytest.mark.parametrize("status", [0, 1, 7, 255])
def test_run_ends_with_the_status_of_the_command(world: World, status: int) -> None:
    world.host(world.sshd("box"))
    assert world.run("train-host", "run", "box", "--", f"exit {status}", check=False).status == status


def test_run_passes_streams_byte_for_byte(world: World) -> None:
    world.host(world.sshd("box"))
    data = bytes(range(256)) * 500
    words = ["train-host", "run", "box", "--", "cat; echo oops >&2"]
    done = subprocess.run(words, input=data, capture_output=True, env=world.env, check=True, timeout=60)
    assert done.stdout == data and b"oops" in done.stderr


def test_several_words_are_arguments_as_they_are(world: World) -> None:
    world.host(world.sshd("box"))
    done = world.run("train-host", "run", "box", "--", "printf", "%s|", "a  b", "$HOME", "it's", "*")
    assert done.out == "a  b|$HOME|it's|*|"


def test_one_word_is_a_line_for_the_shell(world: World) -> None:
    box = world.sshd("box")
    world.host(box)
    assert (
        world.run("train-host", "run", "box", "--", "echo $HOME | tr a-z A-Z").out.strip() == str(box.home).upper()
    )


def test_run_with_json_collects(world: World) -> None:
    world.host(world.sshd("box"))
    done = world.run("train-host", "run", "box", "--json", "--", "echo out; echo err >&2; exit 3", check=False)
    assert json.loads(done.out) == {"exit": 3, "stdout": "out\n", "stderr": "err\n"} and done.status == 3


def test_a_connection_lost_in_the_middle_is_ours_to_tell(world: World) -> None:
    box = world.sshd("box")
    world.host(box)
    child = subprocess.Popen(
        ["train-host", "run", "box", "--", "echo up; sleep 60"], env=world.env, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None and child.stdout.readline() == "up\n"
    box.drop()
    _, said = child.communicate(timeout=60)
    assert child.returncode == 8 and "lost" in said


def test_an_unreachable_machine_is_8_and_json_says_why(world: World) -> None:
    box = world.sshd("box")
    world.host(box)
    box.stop()
    done = world.run("train-host", "run", "box", "--json", "--", "true", check=False)
    assert done.status == 8 and done.out == "" and json.loads(done.err)["error"]["code"] == "refused"


def test_list_with_check_tells_who_answers_and_asks_nobody(world: World) -> None:
    up, down = world.sshd("up"), world.sshd("down")
    shut = world.sshd("shut", keys=False)
    for server in (up, down, shut):
        world.host(server)
    world.host(up, name="broken", port="x")  # type: ignore[arg-type]
    down.stop()
    done = world.run("train-host", "list", "--check", "--timeout", "40s", "--json")
    rows = {row["name"]: row for row in json.loads(done.out)}
    assert rows["up"]["reachable"] is True and rows["up"]["seconds"] > 0
    assert rows["down"]["reachable"] is False and rows["down"]["code"] == "refused"
    assert rows["shut"]["reachable"] is False and rows["shut"]["code"] == "authentication_refused"
    assert rows["broken"]["reachable"] is False and rows["broken"]["code"] == "bad_host"
    wait_until(lambda: not list((world.runtime / "train").glob("m-*[0-9a-f]")), "the end of every connection")


def test_a_machine_that_is_silent_does_not_hold_up_the_list(world: World) -> None:
    box = world.sshd("box")
    relay = world.relay(box)
    relay.cut()
    for number in range(6):
        world.host(box, name=f"mute{number}", port=relay.port)
    began = time.monotonic()
    done = world.run("train-host", "list", "--check", "--timeout", "1s", "--json")
    assert [row["code"] for row in json.loads(done.out)] == ["no_answer"] * 6
    assert time.monotonic() - began < 50


def test_disconnect_all(world: World) -> None:
    for name in ("a", "b"):
        world.host(world.sshd(name))
        world.run("train-host", "run", name, "--", "true")
    assert world.run("train-host", "disconnect", "--all").out == "ended 2 connections\n"
    assert world.run("train-host", "disconnect", "a").out == "nothing was connected\n"


def test_ssh_with_json_says_what_it_would_become(world: World) -> None:
    world.host(world.sshd("box"))
    argv = json.loads(world.run("train-host", "ssh", "box", "--json").out)["argv"]
    assert argv[0] == "ssh" and "-S" in argv and argv[-1].endswith("@127.0.0.1")


def test_ssh_without_a_terminal_logs_in_by_itself(world: World) -> None:
    world.host(world.sshd("box"))
    done = world.run("train-host", "ssh", "box", "--", "echo it; tty; exit 5", check=False)
    assert done.out.splitlines() == ["it", "not a tty"] and done.status == 5
    done = world.run("train-host", "ssh", "box", input=b"echo from a pipe\n")
    assert done.out == "from a pipe\n"


def terminal(world: World, words: list[str], answers: list[tuple[str, str]]) -> tuple[int, str]:
    """Run a command on a terminal of its own, and type each answer when its question is seen.

    Returns the exit status and the screen.
    """
    pid, handle = pty.fork()
    if pid == 0:
        os.chdir(world.home)
        os.execvpe(words[0], words, {**world.env, "TERM": "dumb"})
    seen, deadline = "", time.monotonic() + 60
    left = list(answers)
    ended = 0
    # This does not wait until the terminal is closed, because the shared connection keeps it open while the command
    # runs.
    while time.monotonic() < deadline and not (ended and not select.select([handle], [], [], 0)[0]):
        if not ended:
            ended, code = os.waitpid(pid, os.WNOHANG)
        if select.select([handle], [], [], 0.1)[0]:
            try:
                data = os.read(handle, 4096)
            except OSError:
                break
            if not data:
                break
            seen += data.decode(errors="replace")
        if left and left[0][0] in seen.rpartition("\x00")[2]:
            seen += "\x00"
            os.write(handle, left.pop(0)[1].encode() + b"\n")
    os.close(handle)
    if not ended:
        _, code = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(code), seen.replace("\x00", "")


def test_ssh_gives_the_terminal_away(world: World) -> None:
    box = world.sshd("box")
    world.host(box)
    (box.home / ".bash_profile").write_text("PS1='here> '\n")
    status, seen = terminal(
        world, ["train-host", "ssh", "box"], [("here> ", "tty && echo $((6*7))"), ("42", "exit 3")]
    )
    assert "/dev/pts/" in seen and "42" in seen and status == 3


def test_ctrl_c_ends_a_command_with_130(world: World) -> None:
    world.host(world.sshd("box"))
    words = ["train-host", "run", "box", "--", "echo started; sleep 60"]
    status, seen = terminal(world, words, [("started", "\x03")])
    assert status == 130 and "Traceback" not in seen


def test_ctrl_c_at_a_question_ends_it_with_130(world: World) -> None:
    world.strict = "ask"
    world.host(world.sshd("box"))
    status, seen = terminal(world, ["train-host", "run", "box", "--", "true"], [("Connect to it?", "\x03")])
    assert status == 130 and "Traceback" not in seen
    assert not list((world.runtime / "train").glob("q-*"))


def test_a_host_is_added_by_answering(world: World) -> None:
    box = world.sshd("box")
    status, seen = terminal(
        world,
        ["train-host", "add"],
        [
            ("What kind of machine", "ssh"),
            ("Address", f"ssh -p {box.port} -i {world.key} root@127.0.0.1"),
            ("Name", "mine"),
            ("Test it now?", "y"),
        ],
    )
    assert status == 0, seen
    assert "authentication" in seen and "free in the home folder" in seen
    added = tomllib.loads((world.config / "hosts.toml").read_text())["hosts"][0]
    assert (added["name"], added["port"], added["ssh_key_path"]) == ("mine", box.port, str(world.key))


def test_a_host_is_added_step_by_step(world: World) -> None:
    answers = [("Address", "1.2.3.4"), ("User", "me"), ("Port", "99999"), ("not a port", "77"), ("Key file", "/no/such"),
               ("no key file", ""), ("Test it now?", "n")]  # fmt: skip
    status, seen = terminal(world, ["train-host", "add", "mine", "--type", "ssh"], answers)
    assert status == 0, seen
    added = tomllib.loads((world.config / "hosts.toml").read_text())["hosts"][0]
    assert (added["hostname"], added["username"], added["port"]) == ("1.2.3.4", "me", 77)


PROVIDER = """#!/bin/sh
# summary: a cloud for this test
case $1 in
schema) echo '{{"provides": ["hosts"], "commands": {{}}}}' ;;
list) echo '[{{"id": 17, "state": "running", "label": "mine", "gpu": "A100", "gpu_count": 2, "price_per_hour": 1.5,
             "currency": "USD", "job": "", "end": "train acme stop 17", "extra": [1]}},
            {{"id": 18, "state": "stopped", "price_per_hour": 1.5, "storage_per_hour": 0.0031}}]' ;;
resolve)
  case $(cat) in *'"ref":"17"'*) ;; *) exit 3 ;; esac
  echo '{{"name": "acme:17", "kind": "ssh", "rented": true, "machine": "disk-1", "label": "acme:17",
        "argv": ["ssh", "-i", "{key}", "-p", "{port}", "{user}@127.0.0.1"]}}' ;;
*) exit 2 ;;
esac
"""


def acme(world: World, box: Sshd) -> None:
    program = world.folder / "bin" / "train-acme"
    program.write_text(PROVIDER.format(key=world.key, port=box.port, user=box.user))
    program.chmod(0o755)


def test_machines_of_providers_are_listed_below_those_of_the_file(world: World) -> None:
    box = world.sshd("box")
    world.host(box)
    acme(world, box)
    lines = world.run("train-host", "list").out.splitlines()
    assert lines[1].startswith("box ") and lines[2].startswith("acme:17 ")
    assert all(word in lines[2] for word in ("running", "2 x A100", "1.50 USD/h", "mine"))
    assert lines[3].startswith("acme:18 ") and "stopped" in lines[3] and "0.0031 USD/h" in lines[3]
    rows = json.loads(world.run("train-host", "list", "--check", "--json").out)
    assert [(row["name"], row["reachable"]) for row in rows][:2] == [("box", True), ("acme:17", True)]
    assert rows[1]["end"] == "train acme stop 17"
    assert "acme" not in world.run("train-host", "list", "--no-providers").out


def test_a_provider_that_fails_is_a_row_that_says_why(world: World) -> None:
    acme(world, world.sshd("box"))
    program = world.folder / "bin" / "train-acme"
    program.write_text(program.read_text().replace("list) echo", "list) echo oops; exit 0; echo"))
    rows = json.loads(world.run("train-host", "list", "--json").out)
    assert [(row["name"], row["code"]) for row in rows] == [("acme:", "bad_answer")]
    refused = """{"error": {"code": "CODE", "message": "no key", "exit": 4}}"""
    for code, shown in (("refused", 1), ("no_secret", 0)):
        answer = refused.replace("CODE", code)
        program.write_text(
            PROVIDER.format(key="", port="", user="").replace("list)", f"list) echo '{answer}' >&2; exit 4;")
        )
        assert len(json.loads(world.run("train-host", "list", "--json").out)) == shown


@pytest.mark.parametrize("way", ["a provider's machine", "an address from an answer"])
def test_a_first_host_key_of_a_rented_machine_is_accepted_and_then_held_to(world: World, way: str) -> None:
    world.strict = "ask"
    world.write_ssh_config()
    box = world.sshd("box")
    acme(world, box)
    words = ["acme:17"]
    if way == "an address from an answer":
        words = [f"{box.user}@127.0.0.1 -p {box.port} -i {world.key}", "--from-tool", "--machine", "disk-1"]
    found = msgspec.json.decode(world.run("train-host", "resolve", *words, "--json").out, type=Target)
    assert found.rented and found.machine == "disk-1"
    options = ["-o", f"IdentityFile={world.key}"]
    login = [found.argv[0], *options, *found.argv[1:], "echo in"]
    assert world.run(*login).out == "in\n"
    assert "127.0.0.1" in Path(found.known_hosts or "").read_text()
    assert not world.known_hosts.exists()
    box.new_host_key()
    box.restart()
    refused = world.run(*login, check=False)
    assert refused.status == 255 and "HAS CHANGED" in refused.err


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 2)])
def test_remove_asks(world: World, answer: str, status: int) -> None:
    world.host(world.sshd("box"))
    assert terminal(world, ["train-host", "remove", "box"], [("Remove host box?", answer)])[0] == status
    assert ("box" in (world.config / "hosts.toml").read_text()) == (status != 0)


def test_edit_opens_the_editor_again_while_it_is_wrong(world: World) -> None:
    world.host(world.sshd("box"))
    editor = world.folder / "editor"
    editor.write_text(
        "#!/bin/sh\n"
        f'if [ -e {world.folder}/tried ]; then sed -i "s/^port = .*/port = 77/" "$1"\n'
        f'else touch {world.folder}/tried; sed -i "s/^port = .*/port = 99999/" "$1"; fi\n'
    )
    editor.chmod(0o755)
    (world.config / "hosts.toml").open("a").write("\n# mine\n")
    words = ["env", f"EDITOR={editor}", "train-host", "edit", "box"]
    status, seen = terminal(world, words, [("Edit it again?", "y")])
    text = (world.config / "hosts.toml").read_text()
    assert status == 0 and "port = 77" in text and "# mine" in text, seen


def test_a_password_is_typed_on_the_terminal_and_nowhere_shown(world: World) -> None:
    box = world.sshd("box", password="only in this test", keys=False)
    if not box.namespaced:
        pytest.skip("PASSWORDS ARE NOT TESTED HERE: no mount namespaces")
    world.host(box)
    seen_words: set[str] = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.01):
            for entry in Path("/proc").glob("[0-9]*"):
                for file in ("cmdline", "environ"):
                    try:
                        text = (entry / file).read_bytes()
                    except OSError:
                        continue
                    if b"only in this test" in text:
                        seen_words.add(text.decode(errors="replace"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        status, seen = terminal(
            world, ["train-host", "run", "box", "--", "echo in"], [("password", "only in this test")]
        )
    finally:
        stop.set()
        watcher.join()
    assert status == 0 and "in" in seen and "only in this test" not in seen
    assert seen_words == set()
    wait_until(lambda: not list((world.runtime / "train").glob("q-*")), "no question is left")


def test_the_host_key_question_on_a_terminal(world: World) -> None:
    world.strict = "ask"
    world.host(world.sshd("box"))
    status, seen = terminal(world, ["train-host", "run", "box", "--", "echo in"], [("Connect to it?", "y")])
    assert status == 0 and "SHA256:" in seen and "in" in seen


def test_the_end_of_input_at_the_host_key_question(world: World) -> None:
    world.strict = "ask"
    box = world.sshd("box")
    world.host(box)
    master, slave = pty.openpty()
    child = subprocess.Popen(["train-host", "run", "box", "--", "true"], env=world.env, stdin=slave, stdout=slave,
                             stderr=slave, start_new_session=True)  # fmt: skip
    os.close(slave)
    shown = b""
    while b"[y/N]" not in shown:
        shown += read_within(master, 4096)
    os.write(master, b"\x04")
    with contextlib.suppress(OSError):  # raised when the last user of the terminal has closed it
        while part := read_within(master, 4096):
            shown += part
    assert child.wait(60) == 8, shown
    assert b"Traceback" not in shown and b"not known" in shown
    os.close(master)
