"""Finds the type of a host or storage spec, and reports invalid specs."""

import re

from trainsh_base.errors import UsageError
from trainsh_base.system.suggest import nearest
from trainsh_dsl.diagnostics.shorten import shorten
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.word import Word
from trainsh_dsl.vocabulary.tool_schemas import Tools
from trainsh_dsl.vocabulary.values import Bad

STORAGE_SCHEMES = ("r2", "b2", "s3", "gs", "gdrive", "file", "rclone")
_SCHEME = lazy(r"([A-Za-z][A-Za-z0-9+.-]*):")
_TARGET = lazy(r"(?:[^@\s:/]+@)?[^@\s:/]+\Z")
_SIX = lazy(r"(?:[^@\s]+@)?\[?[0-9A-Fa-f]*:[0-9A-Fa-f:]+\]?\Z")
# trainsh_base.remote.host_spec has the same patterns. It needs them to check specs without variables again.
_PROVIDER = lazy(r"[a-z][a-z0-9-]*\Z")
_REFERENCE = lazy(r"[A-Za-z0-9_$][A-Za-z0-9_./+${}-]*\Z")
_SSH_FLAGS = "pJio"
_HOST_FORMS = (
    "user@host [-p PORT] [-i KEY] [-J JUMP] [-o Option=value], local, PROVIDER:ID, placeholder or a configured name"
)


class At(Bad):
    """A spec is invalid. `word` is the wrong word of the spec, or None if the whole spec is wrong."""

    def __init__(self, code: str, message: str, hint: str, word: Word | None = None) -> None:
        super().__init__(code, message, hint)
        self.word = word


def host(words: list[Word]) -> str:
    """The type of a host spec. Raise `At` if the spec is invalid."""
    first = words[0].raw
    scheme = _SCHEME.match(first)
    if "$" in first and "@" not in first and not scheme:
        return "other"
    if first in ("placeholder", "local"):
        _alone(words, first)
        return first
    if first == "ssh":
        rest = " ".join(word.raw for word in words[1:])
        raise At(
            "E206", "a host spec does not begin with ssh", f"write it without ssh: {rest or 'user@host'}", words[0]
        )
    if first.startswith("ssh://"):
        raise At("E206", "a host spec is not an address with ssh://", _from_url(first), words[0])
    if scheme and "@" not in first and not _SIX.match(first):
        return _provided(words, scheme[1])
    return _ssh(words)


def check_host(spec: str) -> None:
    """Raise `At` if train-host would reject the host spec `spec`. The spec is as written and has no variables."""
    from trainsh_base.remote.host_spec import parse_spec  # noqa: PLC0415 - only specs of ssh hosts need shlex

    try:
        parse_spec(spec)
    except UsageError as error:
        raise At("E206", error.message, error.hint) from None


def provider(spec: str) -> str:
    """The provider in a spec of type "provider": in `NAME:REF` this is NAME."""
    return spec.partition(":")[0]


def check_provider(word: Word, tools: Tools) -> None:
    """Raise `At` if no installed tool is called NAME, the provider in the spec `NAME:REF`."""
    name, _, rest = word.raw.partition(":")
    if not tools.has(name):
        near = nearest(name, tools.names())
        install = (
            f"did you mean {near}:{rest}?" if near else f"install train-{name}: a program of that name on PATH"
        )
        hint = f"write {name} -p {rest}" if rest.isdigit() and not near else install
        raise At("E206", f"{shorten(word.raw)} is not a host: there is no tool {name}", hint, word)


def _from_url(url: str) -> str:
    rest = url.removeprefix("ssh://").strip("/")
    target, _, port = rest.rpartition(":")
    return f"write {target} -p {port}" if target and port.isdigit() else f"write {rest or 'user@host'}"


def _provided(words: list[Word], scheme: str) -> str:
    first = words[0].raw
    rest = first[len(scheme) + 1 :]
    if not _PROVIDER.match(scheme):
        if rest.isdigit():
            raise At("E206", f"{shorten(first)} is not a host", f"write {scheme} -p {rest}", words[0])
        raise At("E206", f"{shorten(first)} is not a host", f"a host is {_HOST_FORMS}", words[0])
    if not rest:
        hint = f"write {scheme}:ID; to list the ids: train {scheme} list"
        raise At("E206", f"{first} names no instance", hint, words[0])
    if not _REFERENCE.match(rest):
        raise At("E206", f"{shorten(first)} is not a host", f"a host is {_HOST_FORMS}", words[0])
    _alone(words, first)
    return "provider"


def _alone(words: list[Word], first: str) -> None:
    if len(words) > 1:
        raise At("E206", f"nothing can follow {first}", f"write {first} alone", words[1])


def _ssh(words: list[Word]) -> str:
    target: Word | None = None
    place = 0
    while place < len(words):
        word = words[place]
        if word.raw.startswith("-"):
            place += _flag(words, place)
            continue
        if target is not None:
            raise At("E206", f"{shorten(word.raw)} is unexpected in a host spec", f"a host is {_HOST_FORMS}", word)
        target = word
        place += 1
    if target is None:
        raise At("E206", "this host spec has options but no host", "write user@host before or after them")
    _target(target)
    return "ssh" if "@" in target.raw or len(words) > 1 else "name"


def _target(word: Word) -> None:
    raw = word.raw
    if "$" in raw or _TARGET.match(raw) or _SIX.match(raw):
        return
    found = re.fullmatch(r"([^:\s]+@[^:\s]+):(\d+)", raw)
    hint = f"write {found[1]} -p {found[2]}" if found else f"a host is {_HOST_FORMS}"
    raise At("E206", f"{shorten(raw)} is not a host", hint, word)


def _flag(words: list[Word], place: int) -> int:
    """Check the ssh option at index `place` of the words. Return how many words the option and its value take."""
    word = words[place]
    letter, joined = word.raw[1:2], word.raw[2:]
    if letter not in _SSH_FLAGS or not letter:
        raise At(
            "E206",
            f"a host spec takes no {shorten(word.raw)}",
            "the options are -p PORT, -i KEY, -J JUMP and -o Option=value",
            word,
        )
    if not joined and place + 1 >= len(words):
        raise At("E206", f"{word.raw} has no value", f"write {word.raw} and its value", word)
    value = words[place] if joined else words[place + 1]
    text = joined or value.raw
    if "$" not in text:
        if letter == "p" and not (re.fullmatch(r"\d{1,5}", text) and 1 <= int(text) <= 65535):
            raise At("E206", f"{shorten(text)} is not a port", "write -p and a number from 1 to 65535", value)
        if letter == "o" and "=" not in text:
            raise At("E206", f"{shorten(text)} is not an ssh option", "write -o Option=value without blanks", value)
    return 1 if joined else 2


def storage(words: list[Word]) -> str:
    """The type of a storage spec. Raise `At` if the spec is invalid."""
    first = words[0].raw
    if "$" in first.split(":")[0]:
        return "other"
    if len(words) > 1:
        raise At(
            "E207",
            f"{shorten(words[1].raw)} is unexpected in a storage spec",
            "quote a path that has blanks",
            words[1],
        )
    if first == "placeholder":
        return first
    scheme = _SCHEME.match(first)
    if not scheme:
        return _plain(words[0])
    kind, rest = scheme[1], first[scheme.end() :]
    if kind not in STORAGE_SCHEMES:
        hint = (
            f"the kinds are {', '.join(name + ':' for name in STORAGE_SCHEMES)}, placeholder, or a configured name"
        )
        raise At("E207", f"there is no kind of storage called {kind}", hint, words[0])
    if rest.startswith("//") and kind != "file":
        raise At(
            "E207", f"{shorten(first)} has slashes before the bucket", f"write {kind}:{rest.strip('/')}", words[0]
        )
    if kind == "rclone" and not re.match(r"[^:]+:", rest):
        raise At("E207", f"{shorten(first)} names no rclone remote", "write rclone:REMOTE:PATH", words[0])
    if not rest.strip("/") and kind not in ("gdrive", "file"):
        raise At("E207", f"{first} has no bucket", f"write {kind}:BUCKET or {kind}:BUCKET/PREFIX", words[0])
    if kind == "file" and not rest:
        raise At("E207", "file: has no path", "write file:/path/to/a/folder", words[0])
    return kind


def _plain(word: Word) -> str:
    if "/" in word.raw or word.raw.startswith("~"):
        raise At("E207", f"{shorten(word.raw)} is a path, not a storage", f"write file:{word.raw}", word)
    return "name"
