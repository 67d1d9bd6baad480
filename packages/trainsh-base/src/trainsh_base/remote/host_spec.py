"""Parses host specs: the text after `host NAME =` in a recipe, or what people paste (`ssh -p 41022
root@1.2.3.4`).
"""

import re
import shlex
from typing import Literal

import msgspec

from trainsh_base.errors import UsageError

FORMS = (
    "write user@host [-p PORT] [-i KEY] [-J JUMP] [-o Key=value], local, PROVIDER:ID (a rented machine) "
    "or the name of a host"
)
_WITH_VALUE = frozenset("BbcDEeFIiJLlmOopQRSWw")
_AS_OPTION = {
    "A": "ForwardAgent=yes",
    "C": "Compression=yes",
    "4": "AddressFamily=inet",
    "6": "AddressFamily=inet6",
}
_HARMLESS = frozenset("afGgKkMNnqsTtVvXxYy")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_PROVIDER = re.compile(r"([a-z][a-z0-9-]*):(.*)", re.DOTALL)
_REFERENCE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]*")
_WINDOWS_PATH = re.compile(r"(?:^|[\s'\"])[A-Za-z]:\\")
_QUOTES = dict.fromkeys("\u201c\u201d\u201e", '"') | dict.fromkeys("\u2018\u2019", "'")
_PASTED = str.maketrans({"\ufeff": "", "\u00a0": " "} | _QUOTES)
_DASHES = re.compile(r"(?<![^\s'\"])[\u2010-\u2015\u2212](?=[A-Za-z-])")


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed spec. `value` is the host, the name, or the provider's id of the machine.

    `options` are texts `Key=value` for ssh's option -o, in order. `dropped` lists the options that were left out,
    because they concern only one connection.
    """

    form: Literal["ssh", "local", "provider", "name"]
    value: str = ""
    provider: str = ""
    user: str = ""
    port: int | None = None
    keys: list[str] = []
    jump: str = ""
    options: list[str] = []
    dropped: list[str] = []


def parse_spec(text: str) -> Spec:
    """Parse the spec `text`. Raises UsageError, which tells what is wrong with the spec."""
    stripped = clean(text)
    if not stripped:
        raise UsageError("the host spec is empty", FORMS, code="bad_spec")
    if stripped == "placeholder":
        raise UsageError(
            "the host is still a placeholder, not a machine", "set it with --host NAME=SPEC, or with a step "
            "that rents a machine",
            code="placeholder",
        )  # fmt: skip
    if stripped == "local":
        return Spec(form="local")
    if _PROVIDER.fullmatch(stripped) and not _is_address(stripped):
        return _provider(stripped)
    if _NAME.fullmatch(stripped):
        return Spec(form="name", value=stripped)
    return _ssh(stripped, _words(stripped), lenient=False)


def parse_command(text: str) -> Spec:
    """Parse what a person pasted: an ssh command line, `ssh://user@host:port`, or a spec."""
    text = clean(text)
    words = _words(text)
    if words and words[0].rpartition("/")[2] == "ssh":
        return _ssh(text, words[1:], lenient=True)
    return parse_spec(text)


def clean(text: str) -> str:
    """Undo what pasting does to text.

    Byte order marks, a shell's prompt `$` and a backslash at the end are removed. Blanks, dashes and quotes become
    plain ASCII.
    """
    return _DASHES.sub("-", text.translate(_PASTED)).strip().removeprefix("$ ").removesuffix(" \\").strip()


def _is_address(text: str) -> bool:
    """Whether `text`, which has the form PROVIDER:ID, is in fact a host with a port or a URL."""
    return text.startswith("ssh:") or bool(re.fullmatch(r"localhost:\d+", text))


def _provider(text: str) -> Spec:
    provider, _, value = text.partition(":")
    if not _REFERENCE.fullmatch(value):
        raise UsageError(
            f"{text!r} names no machine of train-{provider}", f"write {provider}:ID, or user@host -p PORT",
            code="bad_spec",
        )  # fmt: skip
    return Spec(form="provider", provider=provider, value=value)


def _words(text: str) -> list[str]:
    """Split `text` into words as a shell does, but keep the backslashes of Windows paths."""
    try:
        if not _WINDOWS_PATH.search(text):
            words = shlex.split(text)
        else:
            lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
            lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
            words = list(lexer)
    except ValueError as error:
        raise UsageError(f"cannot read {text!r}: {str(error).lower()}", FORMS, code="bad_spec") from None
    for word in words:
        if re.fullmatch(r"<[^<>]*>", word):
            raise UsageError(
                f"{word} is an example to be replaced", "write your own value instead", code="bad_spec"
            )
    return words


def _ssh(text: str, words: list[str], *, lenient: bool) -> Spec:
    """Parse an ssh argv by ssh's own rules: options may follow the destination, and -4v and -p22 are allowed.

    With `lenient`, these are left out: a command after the destination, and options that do not matter for a spec.
    """
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
            raise UsageError(f"unexpected argument in {text!r}: {word!r}", FORMS, code="bad_spec")
    return found.spec()


class _Found:
    """The parts of one spec that have been read so far."""

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
        """Read one argument that holds options. Return the arguments that remain after it."""
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
            self.jump = parse_jump(value)
        elif letter == "o":
            self.settings.append(parse_option(value))
        elif letter == "l" and self.lenient:
            self.user = value
        elif self.lenient:
            self.dropped.append(f"-{letter} {shlex.quote(value)}")
        else:
            raise UsageError(f"{self.text!r}: no such option here: -{letter}", FORMS, code="bad_spec")

    def spec(self) -> Spec:
        """Return the complete spec."""
        user, host, port = parse_destination(self.destination, self.text)
        return Spec(
            form="ssh", value=host, user=user or self.user, port=self.port or port, keys=self.keys, jump=self.jump,
            options=self.settings, dropped=self.dropped,
        )  # fmt: skip


def parse_destination(word: str, text: str = "") -> tuple[str, str, int | None]:
    """Return (user, host, port) of `user@host`, `user@host:port` or `ssh://user@host:port`."""
    port = None
    url = word.startswith("ssh://")
    word = word.removeprefix("ssh://").rstrip("/") if url else word
    head, colon, tail = word.rpartition(":")
    if colon and tail.isdigit() and (url or ":" not in head or head.endswith("]")):
        word, port = head, parse_port(tail)
    user, _, host = word.rpartition("@")
    host = host.strip("[]")
    if not host:
        raise UsageError(f"{text or word!r} names no machine", FORMS, code="bad_spec")
    if host.startswith("-") or user.startswith("-") or re.search(r"[\s'\"`$\\;&|<>(){}]", word):
        raise UsageError(f"{word!r} is not user@host", FORMS, code="bad_spec")
    return user, host, port


def parse_jump(text: str) -> str:
    """Check the jump hosts of ssh's option -J, separated by commas.

    Raises UsageError if one of them is not a destination.
    """
    for part in text.split(","):
        parse_destination(part, text)
    return text


def parse_port(text: str) -> int:
    """Parse a port. Raises UsageError for anything else."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise UsageError(f"not a port: {text!r}", "a port is a number from 1 to 65535", code="bad_port")
    return int(text)


def parse_option(text: str) -> str:
    """Return an argument of ssh's option -o in the form `Key=value`.

    The argument may be `Key value` or `Key = value`.
    """
    key, _, value = re.sub(r"\s*[=\s]\s*", "=", text.strip(), count=1).partition("=")
    if not key.isalnum() or not value:
        raise UsageError(f"not an ssh option: {text!r}", "write it like -o Compression=yes", code="bad_spec")
    return f"{key}={value}"
