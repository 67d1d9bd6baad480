"""Host specs: what a recipe writes after `host NAME =`, and what people paste (`ssh -p 41022 root@1.2.3.4`)."""

import re
import shlex
from typing import Literal

import msgspec

from trainsh_base.errors import UsageError

FORMS = "write user@host [-p PORT] [-i KEY] [-J JUMP] [-o Key=value], local, vast:ID, colab:NAME or a host's name"
_WITH_VALUE = frozenset("BbcDEeFIiJLlmOopQRSWw")
_AS_OPTION = {
    "A": "ForwardAgent=yes",
    "C": "Compression=yes",
    "4": "AddressFamily=inet",
    "6": "AddressFamily=inet6",
}
_HARMLESS = frozenset("afGgKkMNnqsTtVvXxYy")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """A spec taken apart. `options` are `Key=value` texts for ssh's -o, in order; `dropped` what was left out."""

    form: Literal["ssh", "local", "vast", "colab", "name"]
    value: str = ""
    user: str = ""
    port: int | None = None
    keys: list[str] = []
    jump: str = ""
    options: list[str] = []
    dropped: list[str] = []


def parse_spec(text: str) -> Spec:
    """The spec in `text`; UsageError says what is wrong with it."""
    stripped = text.strip()
    if not stripped:
        raise UsageError("the host spec is empty", FORMS, code="bad_spec")
    if stripped == "placeholder":
        raise UsageError(
            "a placeholder is no machine yet", "fill it: --host NAME=SPEC, or a step such as vast.pick",
            code="placeholder",
        )  # fmt: skip
    if stripped == "local":
        return Spec(form="local")
    for form in ("vast", "colab"):
        if stripped.startswith(f"{form}:"):
            return _provider(form, stripped)
    if _NAME.fullmatch(stripped):
        return Spec(form="name", value=stripped)
    return _ssh(stripped, _words(stripped), lenient=False)


def parse_command(text: str) -> Spec:
    """What a person copied: an ssh command line, `ssh://user@host:port`, or a spec."""
    words = _words(text.strip())
    if words and words[0].rpartition("/")[2] == "ssh":
        return _ssh(text.strip(), words[1:], lenient=True)
    return parse_spec(text)


def _provider(form: Literal["vast", "colab"], text: str) -> Spec:
    value = text.partition(":")[2]
    pattern, what = (r"\d+", "the number of an instance") if form == "vast" else (r"[\w.-]+", "a connection's name")
    if not re.fullmatch(pattern, value):
        raise UsageError(f"{text!r} is no {form} host: after {form}: comes {what}", code="bad_spec")
    return Spec(form=form, value=value)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"cannot read {text!r}: {str(error).lower()}", FORMS, code="bad_spec") from None


def _ssh(text: str, words: list[str], *, lenient: bool) -> Spec:
    """ssh's own way of reading its words: options before and after the destination, clusters, `-p22`."""
    found = _Found(text, lenient)
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("-") and word != "--" and len(word) > 1:
            rest = found.options(word[1:], rest)
        elif word == "--":
            continue
        elif not found.destination:
            found.destination = word
        elif lenient:
            found.dropped.append(shlex.join([word, *rest]))
            break
        else:
            raise UsageError(f"{text!r} has a word too many: {word!r}", FORMS, code="bad_spec")
    return found.spec()


class _Found:
    """What was read so far of the words of one spec."""

    def __init__(self, text: str, lenient: bool) -> None:
        self.text = text
        self.lenient = lenient
        self.destination = ""
        self.user = ""
        self.port: int | None = None
        self.keys: list[str] = []
        self.jump = ""
        self.settings: list[str] = []
        self.dropped: list[str] = []

    def options(self, letters: str, rest: list[str]) -> list[str]:
        """Read one word of options; what is left of the words after it."""
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter not in _WITH_VALUE:
                self._flag(letter)
                continue
            value = letters or (rest.pop(0) if rest else "")
            if not value:
                raise UsageError(f"-{letter} in {self.text!r} has no value", FORMS, code="bad_spec")
            self._value(letter, value)
            break
        return rest

    def _flag(self, letter: str) -> None:
        if self.lenient and letter in _AS_OPTION:
            self.settings.append(_AS_OPTION[letter])
        elif not (self.lenient and letter in _HARMLESS):
            raise UsageError(f"{self.text!r}: no such option here: -{letter}", FORMS, code="bad_spec")

    def _value(self, letter: str, value: str) -> None:
        if letter == "p":
            self.port = parse_port(value)
        elif letter == "i":
            self.keys.append(value)
        elif letter == "J":
            self.jump = value
        elif letter == "o":
            self.settings.append(parse_option(value))
        elif letter == "l" and self.lenient:
            self.user = value
        elif self.lenient:
            self.dropped.append(f"-{letter} {shlex.quote(value)}")
        else:
            raise UsageError(f"{self.text!r}: no such option here: -{letter}", FORMS, code="bad_spec")

    def spec(self) -> Spec:
        """The whole."""
        user, host, port = parse_destination(self.destination, self.text)
        return Spec(
            form="ssh", value=host, user=user or self.user, port=self.port or port, keys=self.keys, jump=self.jump,
            options=self.settings, dropped=self.dropped,
        )  # fmt: skip


def parse_destination(word: str, text: str = "") -> tuple[str, str, int | None]:
    """(user, host, port) of `user@host` or `ssh://user@host:port`."""
    port = None
    if word.startswith("ssh://"):
        word = word[6:].rstrip("/")
        head, colon, tail = word.rpartition(":")
        if colon and tail.isdigit():
            word, port = head, parse_port(tail)
    user, _, host = word.rpartition("@")
    host = host.strip("[]")
    if not host:
        raise UsageError(f"{text or word!r} names no machine", FORMS, code="bad_spec")
    if host.startswith("-") or user.startswith("-") or re.search(r"[\s'\"`$\\;&|<>(){}]", word):
        raise UsageError(f"{word!r} is not user@host", FORMS, code="bad_spec")
    return user, host, port


def parse_port(text: str) -> int:
    """A port; UsageError when it is none."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise UsageError(f"not a port: {text!r}", "a port is a number from 1 to 65535", code="bad_port")
    return int(text)


def parse_option(text: str) -> str:
    """`Key=value` out of what ssh's -o takes (`Key value`, `Key = value` too)."""
    key, _, value = re.sub(r"\s*[=\s]\s*", "=", text.strip(), count=1).partition("=")
    if not key.isalnum() or not value:
        raise UsageError(f"not an ssh option: {text!r}", "write it like -o Compression=yes", code="bad_spec")
    return f"{key}={value}"
