"""Reads `wait`, transfers, `notify` and `sleep`."""

import itertools
import re

from trainsh_dsl.diagnostics.shorten import shorten
from trainsh_dsl.document.plan import Condition, Ref, Text
from trainsh_dsl.grammar.scope import Near
from trainsh_dsl.grammar.syntax import Endpoint, Notify, Option, Sleep, Transfer, Wait
from trainsh_dsl.grammar.words import AT_NAME, NAME_OR_HYPHEN, Context, Stop, is_option
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.word import Word
from trainsh_dsl.vocabulary import options, values

CONTROL = lazy(r"([A-Za-z_][A-Za-z0-9_-]*)\.([A-Za-z_][A-Za-z0-9_-]*)\Z")
_SESSION_NAME = lazy(rf"{NAME_OR_HYPHEN}\Z")
_ENDPOINT = lazy(rf"@({NAME_OR_HYPHEN})(:?)(.*)\Z", re.DOTALL)
_SCP = lazy(r"([A-Za-z_][A-Za-z0-9_-]*):(?=[/~.\w$])")
_HEAD = lazy(rf"(?:@{NAME_OR_HYPHEN}:)?(?:~/)?")
_NO_PIECE = lazy(r"[#@'\"-]|\.{0,2}/|~|=")  # a word that begins like this does not continue a path that has blanks
_GLOB = lazy(r"[*?\[\]]")
_CONDITIONS = 'the condition is "a pattern", file=PATH, port=PORT or idle'


def wait(context: Context, words: list[Word], end: int) -> Wait:
    """Read `wait @session CONDITION options`."""
    head = words[0]
    name = AT_NAME.match(words[1].raw) if len(words) > 1 else None
    if name is None:
        last = words[1] if len(words) > 1 else head
        bare = words[1].raw if len(words) > 1 and _SESSION_NAME.match(words[1].raw) else "work"
        rest = context.line_text(last.end, words[-1].end) if len(words) > 1 and bare == words[1].raw else "..."
        raise context.wrong("E118", head.start, last.end, "wait names no session", f"write wait @{bare} {rest}")
    condition = words[2] if len(words) > 2 else None
    if condition is None:
        raise context.wrong("E116", head.start, words[1].end, "wait has no condition", _CONDITIONS)
    sort, value = _condition(context, condition, words)
    found = context.options(words[3:], options.GENERAL, "wait")
    return Wait(
        start=head.start, end=end, options=found, session=name[1], condition=sort, value=value, word=condition
    )


def _condition(context: Context, word: Word, words: list[Word]) -> tuple[Condition, int | Text]:
    raw = word.raw
    if raw[0] in "'\"":
        return "pattern", _pattern(context, word)
    if raw in ("idle", "idle=all"):
        return "idle", "all" if raw == "idle=all" else ""
    key = is_option(word)
    kind = key[1] if key else ""
    value = Word(word.start + len(kind) + 1, word.end, raw[len(kind) + 1 :])
    if kind in ("file", "port") and value.raw in ("", "''", '""'):
        raise context.wrong(
            "E116",
            word.start,
            word.end,
            f"{kind}= has no value",
            f"write {kind}={'PATH' if kind == 'file' else 'PORT'}",
        )
    if kind == "file":
        return "file", context.reader.word(value, no_secret="a file name")
    if kind == "port":
        text = context.reader.word(value, no_secret="a wait")
        typed = context.typed(text, values.port, value)
        return "port", typed if isinstance(typed, (int, str, list)) else 0
    raise context.wrong(
        "E116",
        word.start,
        word.end,
        f"{shorten(raw)} is not something to wait for",
        _hint(context, word, kind, words),
    )


def _hint(context: Context, word: Word, kind: str, words: list[Word]) -> str:
    raw = word.raw
    if kind in options.GENERAL:
        return f"the condition comes before the options: wait {words[1].raw} idle {raw}"
    if kind == "pattern":
        return f'write the pattern alone, in quotes: "{raw[8:]}"'
    if kind == "idle":
        return "write idle, or idle=all for the other windows too"
    near = Near().add(("idle", "file", "port")).find(kind or raw)
    if near:
        return f"did you mean {near}{'=' + raw[len(kind) + 1 :] if kind else '' if near == 'idle' else '='}?"
    return f'a pattern needs quotes: "{raw}"' if not kind else _CONDITIONS


def _pattern(context: Context, word: Word) -> Text:
    text = context.reader.word(word, pattern=True, no_secret="a wait pattern")
    if text == "":
        context.findings.add(
            "E305",
            word.start,
            word.end,
            "the pattern is empty, so it would match at once",
            "write what to wait for",
        )
        return text
    known = context.scope.static_text(text)
    try:
        if known is not None:
            values.pattern(known)
    except values.Bad as bad:
        context.findings.add(bad.code, word.start, word.end, bad.message, bad.hint)
    return text


def transfer(context: Context, words: list[Word], end: int) -> Transfer:
    """Read `source -> destination options`. The second word must be `->`."""
    if len(words) < 3 or is_option(words[2]):
        shown = words[0].raw
        raise context.wrong(
            "E602",
            words[0].start,
            words[1].end,
            "this transfer has no destination",
            f"write {shown} -> @HOST:PATH or {shown} -> ./path",
        )
    source = _endpoint(context, words[0])
    destination = _endpoint(context, words[2])
    _check_blanks(context, words[2], words[3:])
    found = context.options(words[3:], options.TRANSFER, "a transfer")
    _check_required(context, found, source)
    return Transfer(start=words[0].start, end=end, options=found, source=source, destination=destination)


def source_in_pieces(context: Context, words: list[Word]) -> None:
    """Raise `Stop` if the source is a path with blanks, so that the arrow in `words` is not the second word."""
    arrow = next((place for place, word in enumerate(words) if word.raw == "->"), 0)
    if arrow > 1:
        _check_blanks(context, words[0], words[1:arrow])


def _check_blanks(context: Context, path: Word, behind: list[Word]) -> None:
    """Raise `Stop` with E111 if the words behind a path belong to the path, which has blanks but no quotes."""
    rest = list(itertools.takewhile(lambda word: not (is_option(word) or _NO_PIECE.match(word.raw)), behind))
    if not rest or rest[0].raw in options.ALL or "'" in path.raw or '"' in path.raw:
        return
    raise context.wrong(
        "E111", rest[0].start, rest[-1].end, f"a transfer does not take {shorten(rest[0].raw)} here",
        f"a path with blanks needs quotes: {quoted(context.line_text(path.start, rest[-1].end))}",
    )  # fmt: skip


def quoted(path: str) -> str:
    """The path in quotes.

    Its host and its `~/` stay outside of the quotes, because inside they would have no effect.
    """
    head = _HEAD.match(path)
    assert head is not None, "it matches every text"
    return f'{head[0]}"{path[head.end() :]}"'


def _check_required(context: Context, found: list[Option], source: Endpoint) -> None:
    """Report `hold` without `required`, and `required` for a source that is not on a host."""
    given = {option.key: option for option in found}
    required, hold = given.get("required"), given.get("hold")
    if hold is not None and (required is None or required.value is False):
        context.findings.add(
            "E310", hold.word.start, hold.word.end, "hold= is allowed only with required=true",
            "write required=true beside it, or remove it",
        )  # fmt: skip
    if required is not None and required.value is not False and source.name not in context.scope.hosts:
        context.findings.add(
            "E311", required.word.start, required.word.end,
            "required=true keeps the machine of the source, and this source is not on a machine",
            "remove it",
        )  # fmt: skip


def _endpoint(context: Context, word: Word) -> Endpoint:
    raw = word.raw
    if not raw.startswith("@"):
        _check_scp(context, word)
        return _path(context, word, "", word)
    found = _ENDPOINT.match(raw)
    if found is None:
        raise context.wrong(
            "E110", word.start, word.end, f"{shorten(raw)} names no host or storage", "write @NAME:PATH"
        )
    name, path = found[1], found[3]
    if not found[2]:
        if path:
            raise context.wrong(
                "E110",
                word.start,
                word.end,
                f"{shorten(raw)} names no host or storage",
                f"write @{name}:PATH",
            )
        raise context.wrong("E601", word.start, word.end, f"@{name} has no path", f"write @{name}:/path/to/it")
    if path in ("", "''", '""'):
        raise context.wrong("E601", word.start, word.end, f"@{name}: has no path", f"write @{name}:/path/to/it")
    return _path(context, word, name, Word(word.start + found.start(3), word.end, path))


def _check_scp(context: Context, word: Word) -> None:
    found = _SCP.match(word.raw)
    if found and (found[1] in context.scope.hosts or found[1] in context.scope.storages):
        raise context.wrong(
            "E603", word.start, word.end, f"{word.raw} is a local path as written", f"write @{word.raw}"
        )


def _path(context: Context, whole: Word, name: str, path: Word) -> Endpoint:
    raw = path.raw
    text = context.reader.word(path, no_secret="a file name")
    quoted = re.findall(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"", raw) if "'" in raw or '"' in raw else []
    if not quoted:
        return Endpoint(word=whole, name=name, path=text, expand=True)
    bare = raw
    for part in quoted:
        bare = bare.replace(part, "", 1)
    inside = any(_GLOB.search(part) for part in quoted)
    outside = bool(_GLOB.search(bare)) or raw.startswith("~")
    if inside and outside:
        context.findings.add(
            "E604", path.start, path.end, "one part of this path is a pattern, and a quoted part contains * "
            "? [ or ] too",
            "quote all of it, or none of it",
        )  # fmt: skip
    return Endpoint(word=whole, name=name, path=text, expand=outside)


def notify(context: Context, words: list[Word], end: int) -> Notify:
    """Read `notify "message" options`."""
    head = words[0]
    message = words[1] if len(words) > 1 else None
    if message is None:
        raise context.wrong("E117", head.start, head.end, "notify has no message", 'write notify "message"')
    if message.raw[0] not in "'\"":
        line = context.line_text(message.start, words[-1].end)
        raise context.wrong(
            "E117", message.start, words[-1].end, "a message needs quotes", f'write notify "{line}"'
        )
    text = context.reader.word(message)
    if text == "":
        raise context.wrong("E117", message.start, message.end, "the message is empty", 'write notify "message"')
    found = context.options(words[2:], options.GENERAL, "notify")
    parts = text if isinstance(text, list) and context.scope.secret_at_all else []
    if any(isinstance(part, Ref) and (part.secret or part.var in context.scope.secrets) for part in parts):
        context.findings.add(
            "W403", message.start, message.end,
            "this message contains a secret, which is sent as ***",
            "leave the secret out",
        )  # fmt: skip
    return Notify(start=head.start, end=end, options=found, message=text, word=message)


def sleep(context: Context, words: list[Word], end: int) -> Sleep:
    """Read `sleep DURATION options`."""
    head = words[0]
    if len(words) < 2:
        raise context.wrong("E301", head.start, head.end, "sleep has no duration", "write sleep 30s")
    word = words[1]
    text = context.reader.word(word, no_secret="a duration")
    seconds = context.typed(text, values.duration, word)
    if seconds is None:
        raise Stop()
    found = context.options(words[2:], options.GENERAL, "sleep")
    return Sleep(start=head.start, end=end, options=found, seconds=seconds, word=word)
