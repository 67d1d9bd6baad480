"""Which questions are asked when a machine is added, and which host the answers give."""

import pytest

from trainsh_base.errors import UsageError
from trainsh_base.request import Request, nobody
from trainsh_host.adding import draft


class Person(Request):
    """A person who has an answer for the first word of some questions, and otherwise takes the default."""

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
        {"What": "ssh", "Address": "1.2.3.4", "User": "me", "Port": "77", "Key": __file__, "Name": "gpu"},
        {"type": "ssh", "hostname": "1.2.3.4", "username": "me", "port": 77, "auth_method": "key",
         "ssh_key_path": __file__, "name": "gpu"},
        ["What", "Address", "User", "Port", "Key", "Name"],
    ),
    "ssh, defaults": (
        {"Address": "box.example.org"},
        {"type": "ssh", "hostname": "box.example.org", "port": 22, "name": "box"},
        ["What", "Address", "User", "Port", "Key", "Name"],
    ),
    "ssh, a pasted command": (
        {"Address": f"ssh -p 5 -i {__file__} me@box -L 1:a:2", "Name": "gpu"},
        {"type": "ssh", "hostname": "box", "username": "me", "port": 5, "auth_method": "key",
         "ssh_key_path": __file__, "name": "gpu"},
        ["What", "Address", "Name"],
    ),
    "a tunnel by cloudflared": (
        {"What": "tunnel", "Address": "x.trycloudflare.com", "Name": "nb"},
        {"type": "colab", "env_vars": {"tunnel_type": "cloudflared"}, "hostname": "x.trycloudflare.com",
         "name": "nb"},
        ["What", "Tunnel", "Address", "Name"],
    ),
    "a tunnel by ngrok": (
        {"What": "tunnel", "Tunnel": "ngrok", "Address": "0.tcp.ngrok.io", "Port": "12345", "Name": "nb"},
        {"type": "colab", "env_vars": {"tunnel_type": "ngrok"}, "hostname": "0.tcp.ngrok.io", "port": 12345,
         "name": "nb"},
        ["What", "Tunnel", "Address", "Port", "Name"],
    ),
    "a provider's": (
        {"What": "provider", "Machine": "acme:123", "Name": "r"},
        {"type": "provider", "ref": "acme:123", "name": "r"},
        ["What", "Machine", "Name"],
    ),
    "local": ({"What": "local", "Name": "here"}, {"type": "local", "name": "here"}, ["What", "Name"]),
}  # fmt: skip


@pytest.mark.parametrize(("answers", "values", "asked"), CASES.values(), ids=CASES)
def test_questions(answers: dict[str, str], values: dict[str, object], asked: list[str]) -> None:
    person = Person(**answers)
    assert draft.ask_missing({}, person) == values
    assert person.asked == asked


def test_a_bad_answer_is_asked_again_with_the_reason() -> None:
    answers = {
        "Address": ["", "me@", "me@box -i /no/such/key", "acme:1", "me@box"], "Port": ["99999", "x", "77"],
        "Key": ["/no/such/key", ""], "Name": ["2x", "local", "gpu"],
    }  # fmt: skip
    person = Person()
    person.ask = lambda kind, message, **_: answers.get(message.split()[0], ["ssh"]).pop(0)  # type: ignore[method-assign]
    found = draft.ask_missing({}, person)
    assert found == {"type": "ssh", "hostname": "box", "username": "me", "port": 77, "name": "gpu"}
    reasons = "\n".join(person.log)
    for reason in ("spec is empty", "names no machine", "no key file /no/such/key", "no address", "99999", "2x"):
        assert reason in reasons


def test_questions_end_when_every_answer_is_bad() -> None:
    with pytest.raises(UsageError, match="99999"):
        draft.ask_missing({"hostname": "h", "type": "colab", "env_vars": {"tunnel_type": "ngrok"}} | {"hostname": ""},
                          Person(Address="h", Port="99999"))  # fmt: skip


FLAGS = {
    "1.2.3.4:41022": {"hostname": "1.2.3.4", "port": 41022},
    "me@box": {"hostname": "box", "username": "me"},
    "box": {"hostname": "box"},
    "::1": {"hostname": "::1"},
}


@pytest.mark.parametrize(("host", "values"), FLAGS.items(), ids=FLAGS)
def test_an_address_by_flag_may_have_a_user_and_a_port(host: str, values: dict[str, object]) -> None:
    assert draft.from_flags(host=host) == values


def test_a_key_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="no key file /no/such"):
        draft.from_flags(key="/no/such")


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


@pytest.mark.parametrize("text", [r"me@box -i C:\Users\me\.ssh\id_rsa", "ssh -i /no/such/key me@box"])
def test_a_key_file_that_is_not_there_is_refused_in_a_pasted_command(text: str) -> None:
    with pytest.raises(UsageError, match="there is no key file"):
        draft.from_text(text, Person())
