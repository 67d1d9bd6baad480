"""What is asked when a machine is added, and what comes of the answers."""

import pytest

from trainsh_base.errors import UsageError
from trainsh_base.request import Request, nobody
from trainsh_host.adding import draft


class Person(Request):
    """Answers by the first word of the question; the default where nothing is said."""

    def __init__(self, **answers: str) -> None:
        super().__init__()
        self.answers = answers
        self.asked: list[str] = []
        self.log: list[str] = []

    def emit(self, kind: str, **data: object) -> None:
        self.log.append(str(data.get("message")))

    def ask(self, kind: str, message: str, *, default: str | None = None, flag: str = "", **_: object) -> str:  # type: ignore[override]
        word = message.split(maxsplit=1)[0]
        self.asked.append(word)
        if word in self.answers:
            return self.answers[word]
        if default is None:
            raise nobody(message, flag)
        return default


CASES = {
    "ssh, step by step": (
        {"What": "ssh", "Address": "1.2.3.4", "User": "me", "Port": "77", "Key": "~/k", "Name": "gpu"},
        {"type": "ssh", "hostname": "1.2.3.4", "username": "me", "port": 77, "auth_method": "key",
         "ssh_key_path": "~/k", "name": "gpu"},
        ["What", "Address", "User", "Port", "Key", "Name"],
    ),
    "ssh, defaults": (
        {"Address": "box.example.org"},
        {"type": "ssh", "hostname": "box.example.org", "port": 22, "name": "box"},
        ["What", "Address", "User", "Port", "Key", "Name"],
    ),
    "ssh, a pasted command": (
        {"Address": "ssh -p 5 -i k me@box -L 1:a:2", "Name": "gpu"},
        {"type": "ssh", "hostname": "box", "username": "me", "port": 5, "auth_method": "key", "ssh_key_path": "k",
         "name": "gpu"},
        ["What", "Address", "Name"],
    ),
    "colab, cloudflared": (
        {"What": "colab", "Address": "x.trycloudflare.com", "Name": "nb"},
        {"type": "colab", "env_vars": {"tunnel_type": "cloudflared"}, "hostname": "x.trycloudflare.com",
         "name": "nb"},
        ["What", "Tunnel", "Address", "Name"],
    ),
    "colab, ngrok": (
        {"What": "colab", "Tunnel": "ngrok", "Address": "0.tcp.ngrok.io", "Port": "12345", "Name": "nb"},
        {"type": "colab", "env_vars": {"tunnel_type": "ngrok"}, "hostname": "0.tcp.ngrok.io", "port": 12345,
         "name": "nb"},
        ["What", "Tunnel", "Address", "Port", "Name"],
    ),
    "vast": (
        {"What": "vast", "Number": "123", "Name": "r"},
        {"type": "vastai", "vast_instance_id": "123", "name": "r"},
        ["What", "Number", "Name"],
    ),
    "local": ({"What": "local", "Name": "here"}, {"type": "local", "name": "here"}, ["What", "Name"]),
}  # fmt: skip


@pytest.mark.parametrize(("answers", "values", "asked"), CASES.values(), ids=CASES)
def test_questions(answers: dict[str, str], values: dict[str, object], asked: list[str]) -> None:
    person = Person(**answers)
    assert draft.ask_missing({}, person) == values
    assert person.asked == asked


def test_what_is_given_is_not_asked() -> None:
    person = Person()
    given = {"name": "gpu", "hostname": "h"}
    assert draft.ask_missing(given, person) == {"name": "gpu", "hostname": "h", "type": "ssh"}
    assert person.asked == []


def test_what_is_left_out_is_said() -> None:
    person = Person()
    draft.from_text("ssh -D 1080 me@box htop", person)
    assert len(person.log) == 2 and "-D 1080" in person.log[0] and "htop" in person.log[1]


@pytest.mark.parametrize("name", ["", "2x", "a b", "a.b", "-x", "local", "placeholder", "é"])
def test_names_that_a_recipe_could_not_say(name: str) -> None:
    with pytest.raises(UsageError):
        draft.check_name(name)


def test_a_whole_table_is_in_the_old_order() -> None:
    table = draft.complete({"hostname": "h", "name": "gpu", "tags": ["a"]})
    assert list(table) == ["id", "name", "type", "hostname", "port", "auth_method", "tags"]
    assert (table["port"], table["auth_method"], table["type"]) == (22, "agent", "ssh")
