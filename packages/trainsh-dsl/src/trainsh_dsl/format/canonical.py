"""Writes one statement in canonical form."""

from trainsh_dsl.grammar.interpolation import unbroken
from trainsh_dsl.grammar.syntax import (  # fmt: skip
    Close,
    Control,
    Definition,
    Endpoint,
    Execute,
    Node,
    Notify,
    Open,
    Option,
    Parallel,
    Sleep,
    Transfer,
    Wait,
)
from trainsh_dsl.text.word import Word
from trainsh_dsl.vocabulary import options
from trainsh_dsl.vocabulary.options import Check


def atoms(node: Node) -> list[str]:
    """The words of a statement in canonical order. For an `Execute` these are the words before its command."""
    if isinstance(node, Definition):
        return [node.sort, node.name, "=", *_value(node)]
    words = _head(node)
    return [*words, *_options(node.options, _kind(node))]


def statement(node: Node) -> str:
    """A step in canonical form, without indentation. For a block this is only its first line."""
    line = " ".join(atoms(node))
    if not isinstance(node, Execute):
        return line
    return f"{line} > {command(node)}".rstrip()


def command(node: Execute) -> str:
    """The command of a step as written. Only an `&` at its end is changed: it gets exactly one blank before it."""
    raw = node.raw
    if node.background and raw.endswith("&") and "\n" not in raw:
        return raw[:-1].rstrip(" \t") + " &"
    return raw


def _value(node: Definition) -> list[str]:
    if node.sort != "var":
        return node.words
    value = unbroken(node.raw)
    return [value] if value else []


def _head(node: Node) -> list[str]:
    if isinstance(node, Execute):
        return ["@" + node.session]
    if isinstance(node, Wait):
        return ["wait", "@" + node.session, _raw(node.word)]
    if isinstance(node, Transfer):
        return [_endpoint(node.source), "->", _endpoint(node.destination)]
    if isinstance(node, Open):
        return ["tmux.open", "@" + node.host, *(["as", node.session] if node.session else [])]
    if isinstance(node, Close):
        return ["tmux.close", "@" + node.session]
    if isinstance(node, Control):
        words = [_raw(word) for word, _ in node.args]
        return [f"{node.tool}.{node.verb}", *words, *(_raw(option.word) for option in node.params)]
    if isinstance(node, Notify):
        return ["notify", _raw(node.word)]
    if isinstance(node, Sleep):
        return ["sleep", _raw(node.word)]
    return ["parallel"] if isinstance(node, Parallel) else []


def _kind(node: Node) -> dict[str, Check]:
    if isinstance(node, Execute):
        return options.EXECUTE
    return options.TRANSFER if isinstance(node, Transfer) else options.GENERAL


def _options(found: list[Option], kind: dict[str, Check]) -> list[str]:
    place = {key: number for number, key in enumerate(kind)}
    last = len(place)
    ordered = sorted(
        found, key=lambda option: (place.get(option.key, last), "" if option.key in place else option.key)
    )
    return [_raw(option.word) for option in ordered]


def _endpoint(endpoint: Endpoint) -> str:
    return _raw(endpoint.word)


def _raw(word: Word) -> str:
    return unbroken(word.raw)
