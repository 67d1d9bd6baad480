"""Reads `var`, `host` and `storage` lines."""

import re

from trainsh_dsl.document.plan import Ref
from trainsh_dsl.grammar.interpolation import joined, unbroken
from trainsh_dsl.grammar.scope import BUILT_IN
from trainsh_dsl.grammar.syntax import Definition
from trainsh_dsl.grammar.words import Context
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.vocabulary import specs

_LINE = lazy(r"(var|host|storage)(?:[ \t]|\\\n)*([^ \t=\\]*)(?:[ \t]|\\\n)*(=?)(?:[ \t]|\\\n)*(.*)\Z", re.DOTALL)
_VAR_NAME = lazy(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NAME = lazy(r"[A-Za-z_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?\Z")
_ENVIRONMENT = frozenset(
    (
        "BASH_ENV", "DISPLAY", "EDITOR", "ENV", "HOME", "HOSTNAME", "IFS", "LANG", "LC_ALL",
        "LD_LIBRARY_PATH", "LOGNAME",
        "MAIL", "OLDPWD", "PATH", "PS1", "PWD", "PYTHONPATH", "SHELL", "SHLVL", "TERM", "TMP", "TMPDIR",
        "TMUX", "TZ",
        "UID", "USER",
    )
)  # fmt: skip
_EXAMPLE = {"var": "var NAME = value", "host": "host NAME = user@host", "storage": "storage NAME = r2:bucket"}


def read(context: Context, start: int, end: int, node_end: int, tail: str) -> Definition:
    """Read the definition between two offsets, and add it to the scope. Raise `Stop` if the definition has an
    error.
    """
    found = _LINE.match(context.text[start:end])
    assert found is not None, "the reader saw the keyword"
    sort, name, value = found[1], found[2], found[4].rstrip()
    name_at = start + found.start(2)
    if not name:
        raise context.wrong("E201", start, end, f"this {sort} has no name", f"write {_EXAMPLE[sort]}")
    _check_name(context, sort, name, name_at)
    definition = Definition(
        start=start, end=node_end, tail=tail, sort=sort, name=name, name_at=name_at, raw=value, text="",
        value_at=start + found.start(4), type="other",
    )  # fmt: skip
    if not found[3]:
        _define(context, definition)
        hint = f"write {sort} {name} = {value}" if value else f"write {_EXAMPLE[sort].replace('NAME', name)}"
        raise context.wrong("E201", start, end, f"this {sort} has no =", hint)
    if sort == "var":
        _variable(context, definition)
    else:
        _spec(context, definition)
    return definition


def _check_name(context: Context, sort: str, name: str, at: int) -> None:
    end = at + len(name)
    if not (_VAR_NAME if sort == "var" else _NAME).match(name):
        mended = re.sub(r"[^A-Za-z0-9_]", "_", name.lstrip("@$"))
        mended = mended if _VAR_NAME.match(mended) else "_" + mended
        extra = "" if sort == "var" else ", - inside"
        raise context.wrong(
            "E202", at, end, f"{name!r} is not a name for a {sort}: use letters, digits, _{extra}; the first "
            f"is not a digit",
            f"write {sort} {mended} = ...",
        )  # fmt: skip
    if name in BUILT_IN:
        raise context.wrong("E208", at, end, f"{name} is set by train itself", "choose another name")
    if sort == "var" and name in _ENVIRONMENT:
        context.findings.add(
            "W304", at, end, f"${name} in a command is this variable and hides the variable of the host's shell",
            f"choose another name, such as MY_{name}",
        )  # fmt: skip


def _define(context: Context, definition: Definition) -> None:
    context.scope.define(definition)


def _variable(context: Context, definition: Definition) -> None:
    scope, value = context.scope, definition.raw
    scope.defining = definition.name
    definition.text = context.reader.rest(value, definition.value_at)
    scope.defining = ""
    comment = re.search(r"(?:^|[ \t])#", value)
    if comment:
        at = definition.value_at + comment.end() - 1
        context.findings.add(
            "W101", at, definition.value_at + len(value), "# starts no comment here: it is part of the value",
            "put the comment on a line of its own",
        )  # fmt: skip
    _define(context, definition)
    parts = definition.text if isinstance(definition.text, list) else []
    if any(isinstance(part, Ref) and (part.secret or part.var in scope.secrets) for part in parts):
        scope.secrets.add(definition.name)
    elif scope.vars.get(definition.name) is definition and definition.name not in scope.captures:
        scope.easy[definition.name] = Ref(var=definition.name)


def _spec(context: Context, definition: Definition) -> None:
    _define(context, definition)
    start, value = definition.value_at, definition.raw
    if not value:
        raise context.wrong(
            "E205", definition.start, definition.start + len(context.text[definition.start : start].rstrip()),
            f"{definition.sort} {definition.name} has no spec",
            f"write {_EXAMPLE[definition.sort].replace('NAME', definition.name)}",
        )  # fmt: skip
    found = context.words(start, start + len(value))
    parts: list[str | Ref] = []
    for word in found:
        quoted = (
            definition.sort == "host"
        )  # ssh itself reads the quotes in a host spec; a storage spec is one word, and its quotes are removed here
        text = context.reader.rest(word.raw, word.start) if quoted else context.reader.word(word)
        parts += [" " if parts else "", *(text if isinstance(text, list) else [text])]
        definition.words.append(unbroken(word.raw))
    definition.text = joined(parts)
    words = [context.unquoted(word) for word in found]
    try:
        definition.type = (specs.host if definition.sort == "host" else specs.storage)(words)
        if definition.type == "provider":
            specs.check_provider(words[0], context.tools)
        if definition.type in ("ssh", "provider") and "$" not in value:
            specs.check_host(unbroken(value))
    except specs.At as bad:
        blamed = bad.word
        first, last = (blamed.start, blamed.end) if blamed else (start, start + len(value))
        hint = "a comment needs a line of its own" if blamed and blamed.raw.startswith("#") else bad.hint
        context.findings.add(bad.code, first, last, bad.message, hint)
