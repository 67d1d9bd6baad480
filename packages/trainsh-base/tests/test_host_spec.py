"""Host specs and pasted ssh commands."""

import pytest

from trainsh_base.errors import UsageError
from trainsh_base.remote.host_spec import (
    Spec,
    parse_command,
    parse_destination,
    parse_option,
    parse_port,
    parse_spec,
)

SPECS = {
    "local": Spec(form="local"),
    " local ": Spec(form="local"),
    "gpu": Spec(form="name", value="gpu"),
    "my-box.example.org": Spec(form="name", value="my-box.example.org"),
    "acme:123": Spec(form="provider", provider="acme", value="123"),
    "lab-1:t4/gpu.0": Spec(form="provider", provider="lab-1", value="t4/gpu.0"),
    "1.2.3.4:41022": Spec(form="ssh", value="1.2.3.4", port=41022),
    "box.example.org:22": Spec(form="ssh", value="box.example.org", port=22),
    "localhost:2222": Spec(form="ssh", value="localhost", port=2222),
    "root@box:41022": Spec(form="ssh", value="box", user="root", port=41022),
    "[::1]:2222": Spec(form="ssh", value="::1", port=2222),
    "me@box \u2013p 41022": Spec(form="ssh", value="box", user="me", port=41022),
    "\ufeffme@box\u00a0-p 5": Spec(form="ssh", value="box", user="me", port=5),
    r"me@box -i C:\Users\me\.ssh\id_rsa": Spec(
        form="ssh", value="box", user="me", keys=[r"C:\Users\me\.ssh\id_rsa"]
    ),
    "me@box": Spec(form="ssh", value="box", user="me"),
    "me@box -p 2222": Spec(form="ssh", value="box", user="me", port=2222),
    "-p2222 me@box": Spec(form="ssh", value="box", user="me", port=2222),
    "box -p 22": Spec(form="ssh", value="box", port=22),
    "me@box -i '~/my keys/id' -i /k": Spec(form="ssh", value="box", user="me", keys=["~/my keys/id", "/k"]),
    "me@box -J a,b@c:2": Spec(form="ssh", value="box", user="me", jump="a,b@c:2"),
    "-J j me@box -o Compression=yes -p 1 -o 'LogLevel QUIET'": Spec(
        form="ssh", value="box", user="me", jump="j", port=1, options=["Compression=yes", "LogLevel=QUIET"]
    ),
    "-- me@box": Spec(form="ssh", value="box", user="me"),
    "ssh://me@box:2222": Spec(form="ssh", value="box", user="me", port=2222),
    "ssh://me@[::1]:2222/": Spec(form="ssh", value="::1", user="me", port=2222),
    "me@::1": Spec(form="ssh", value="::1", user="me"),
    "me@corp.com@gate": Spec(form="ssh", value="gate", user="me@corp.com"),
}


@pytest.mark.parametrize(("text", "spec"), SPECS.items(), ids=SPECS)
def test_specs(text: str, spec: Spec) -> None:
    assert parse_spec(text) == spec


WRONG = {
    "": "empty",
    "  ": "empty",
    "placeholder": "placeholder",
    "acme:": "train-acme",
    "acme:a b": "train-acme",
    "1.2.3.4:99999": "99999",
    "me@box -i <PATH_TO_PRIVATE_KEY>": "<PATH_TO_PRIVATE_KEY> is an example to be replaced",
    "me@box -J -oProxyCommand=x": "not user@host",
    "me@": "no machine",
    "-p 22": "no machine",
    "me@box -p": "-p",
    "me@box -p 0": "'0'",
    "me@box -p 65536": "65536",
    "me@box -p ²": "²",
    "me@box more": "'more'",
    "me@box -L 80:x:80": "-L",
    "me@box -A": "-A",
    "me@box -o": "-o",
    "me@box -o Compression": "Compression",
    "me@box -i 'open": "no closing quotation",
    "me@-oProxyCommand=x": "not user@host",
    "-oProxyCommand=x": "no machine",
    "me@box;rm": "not user@host",
    "me@$(id)": "not user@host",
}


@pytest.mark.parametrize(("text", "said"), WRONG.items(), ids=[text or "nothing" for text in WRONG])
def test_wrong_specs_say_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec(text)
    assert said in caught.value.message
    assert caught.value.exit_status == 2 and caught.value.code in ("bad_spec", "bad_port", "placeholder")


PASTED = {
    "ssh -p 41022 root@1.2.3.4 -L 8080:localhost:8080": Spec(
        form="ssh", value="1.2.3.4", user="root", port=41022, dropped=["-L 8080:localhost:8080"]
    ),
    "/usr/bin/ssh -A -tt box nvidia-smi -q": Spec(
        form="ssh", value="box", options=["ForwardAgent=yes"], dropped=["nvidia-smi -q"]
    ),
    "ssh -l me -4 box": Spec(form="ssh", value="box", user="me", options=["AddressFamily=inet"]),
    "ssh -NfL 1:a:2 me@box": Spec(form="ssh", value="box", user="me", dropped=["-L 1:a:2"]),
    "ssh -F /c me@box": Spec(form="ssh", value="box", user="me", dropped=["-F /c"]),
    "me@box -p 3": Spec(form="ssh", value="box", user="me", port=3),
    "acme:5": Spec(form="provider", provider="acme", value="5"),
    "$ ssh \u201croot@1.2.3.4\u201d -p \u20183\u2019 \\": Spec(form="ssh", value="1.2.3.4", user="root", port=3),
    "ssh \u2013p 41022 root@1.2.3.4": Spec(form="ssh", value="1.2.3.4", user="root", port=41022),
}


@pytest.mark.parametrize(("text", "spec"), PASTED.items(), ids=PASTED)
def test_pasted_commands(text: str, spec: Spec) -> None:
    assert parse_command(text) == spec


def test_a_pasted_flag_that_ssh_does_not_have() -> None:
    with pytest.raises(UsageError, match="-Z"):
        parse_command("ssh -Z me@box")


@pytest.mark.parametrize(
    ("text", "value"), [("A=b", "A=b"), ("A b", "A=b"), ("A = b c", "A=b c"), (" A=b=c", "A=b=c")]
)
def test_options(text: str, value: str) -> None:
    assert parse_option(text) == value


def test_ports_and_destinations() -> None:
    assert parse_port("65535") == 65535
    assert parse_destination("a@b") == ("a", "b", None)
