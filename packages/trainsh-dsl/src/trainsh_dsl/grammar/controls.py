"""Reads `tool.verb` lines, including tmux.open and tmux.close."""

import re

from trainsh_dsl.diagnostics.shorten import shorten
from trainsh_dsl.document.plan import Ref, Text
from trainsh_dsl.grammar.scope import Near
from trainsh_dsl.grammar.syntax import Close, Control, Node, Open, Option
from trainsh_dsl.grammar.words import AT_NAME, NAME_OR_HYPHEN, Context, is_option
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.word import Word
from trainsh_dsl.vocabulary import options
from trainsh_dsl.vocabulary.tool_schemas import Verb

CONTROL = lazy(r"([A-Za-z_][A-Za-z0-9_-]*)\.([A-Za-z_][A-Za-z0-9_-]*)\Z")
_SESSION_NAME = lazy(rf"{NAME_OR_HYPHEN}\Z")


def control(context: Context, words: list[Word], end: int) -> Node:
    """Read the statement `tool.verb`, with its words and options."""
    found = CONTROL.match(words[0].raw)
    assert found is not None, "the reader saw the verb"
    tool, verb = found[1], found[2]
    if tool == "tmux" and verb == "open":
        return _open(context, words, end)
    if tool == "tmux" and verb == "close":
        return _close(context, words, end)
    return _call(context, words, end, tool, verb)


def _open(context: Context, words: list[Word], end: int) -> Open:
    host = AT_NAME.match(words[1].raw) if len(words) > 1 else None
    if host is None:
        last = words[-1]
        raise context.wrong(
            "E415", words[0].start, last.end, "tmux.open names no host", "write tmux.open @HOST as NAME"
        )
    node = Open(start=words[0].start, end=end, host=host[1], host_at=words[1].start, session="")
    rest = words[2:]
    if len(rest) == 1 and _SESSION_NAME.match(rest[0].raw) and rest[0].raw != "as":
        node.session = rest[0].raw
    if rest and rest[0].raw == "as" and len(rest) > 1 and not is_option(rest[1]):
        node.session = _session_name(context, rest[1])
        node.options = context.options(rest[2:], options.GENERAL, "tmux.open")
        return node
    given = rest[0].raw if rest and _SESSION_NAME.match(rest[0].raw) and rest[0].raw != "as" else "work"
    stop = rest[0].end if rest and not is_option(rest[0]) else words[1].end
    context.findings.add(
        "E401", words[0].start, stop,
        "tmux.open needs a name for the session: commands go to a session, not to a host",
        f"write tmux.open @{host[1]} as {given}, and @{given} > ... for its commands",
    )  # fmt: skip
    return node


def _session_name(context: Context, word: Word) -> str:
    if _SESSION_NAME.match(word.raw):
        return word.raw
    bare = word.raw.strip("@'\"")
    context.scope.used.update(re.findall(r"\$\{?([A-Za-z_]\w*)", word.raw))
    if "${secret:" in word.raw:
        context.findings.add(
            "E504", word.start, word.end, "a secret is not allowed in a session name", "write a plain name"
        )
    elif "$" in word.raw:
        context.findings.add(
            "E202", word.start, word.end, "a session's name is plain: no variable", "write the name itself"
        )
    else:
        context.findings.add(
            "E202", word.start, word.end,
            f"{shorten(word.raw)} is not a session name: use letters, digits, and inside the name _ and -",
            f"write {bare}" if _SESSION_NAME.match(bare) else "write a name such as work",
        )  # fmt: skip
    return bare if _SESSION_NAME.match(bare) else ""


def _close(context: Context, words: list[Word], end: int) -> Close:
    name = AT_NAME.match(words[1].raw) if len(words) > 1 else None
    if name is None:
        bare = words[1].raw if len(words) > 1 and _SESSION_NAME.match(words[1].raw) else "work"
        raise context.wrong(
            "E415", words[0].start, words[-1].end, "tmux.close names no session", f"write tmux.close @{bare}"
        )
    found = context.options(words[2:], options.GENERAL, "tmux.close")
    return Close(start=words[0].start, end=end, options=found, session=name[1])


def _call(context: Context, words: list[Word], end: int, tool: str, verb_name: str) -> Control:
    head = words[0]
    verb = context.verbs.get(head.raw)
    if verb is None:
        verb = context.verbs[head.raw] = _verb(context, head, tool, verb_name)
    own = verb.checks()
    errors = context.findings.errors
    node = Control(
        start=head.start, end=end, tool=tool, verb=verb_name, head=head, args=[], params=[], effects=verb.effects
    )  # fmt: skip
    for word in words[1:]:
        key = is_option(word)
        if key is None:
            node.args.append((word, _argument(context, word)))
        elif key[1] in own or key[1].replace("-", "_") in own or (key[1] not in options.GENERAL and not verb.known):
            _parameter(context, node, word, key[1], verb, own)
        elif key[1] in options.GENERAL:
            option = context.option(word, key[1], options.GENERAL, f"{tool}.{verb_name}")
            if option:
                context._once(option, node.options)
                node.options.append(option)
        else:
            near = Near().add([*own, *options.GENERAL]).find(key[1])
            hint = f"did you mean {near}=?" if near else f"it has {', '.join(own) or 'none'}"
            context.findings.add(
                "E703", word.start, word.start + len(key[1]), f"{tool}.{verb_name} has no option {key[1]}", hint
            )
    if context.findings.errors == errors:
        _check_arity(context, node, verb)
    if verb.effects.answers:
        context.scope.answers = verb.name
    return node


def _parameter(
    context: Context, node: Control, word: Word, key: str, verb: Verb, own: dict[str, options.Check]
) -> None:
    key_name = key if key in own or not own else key.replace("-", "_")
    value = Word(word.start + len(key) + 1, word.end, word.raw[len(key) + 1 :])
    if value.raw == "":
        context.findings.add(
            "E308", word.start, word.end, f"{key}= has no value", f"write {key}=VALUE, or leave it out"
        )
        return
    if verb.kind(key_name) == "host" and key_name in verb.positional() and value.raw in context.scope.hosts:
        context.findings.add(
            "E707", word.start, word.end, f"{value.raw} is a host of this recipe: write it with an @",
            f"write {verb.name} @{value.raw}",
        )  # fmt: skip
        node.args.append((word, Ref(host=value.raw)))
        return
    text = context.reader.word(value)
    check = own.get(key_name)
    if check and context.typed(text, check, value) is None:
        return
    if not verb.repeats(key_name) and key_name in node.keys:
        context.findings.add("E303", word.start, word.end, f"{key}= is given twice", "remove one of them")
        return
    node.params.append(Option(word, key_name, text))
    node.keys.add(key_name)


def _argument(context: Context, word: Word) -> Text | Ref:
    name = AT_NAME.match(word.raw)
    if name:
        return Ref(host=name[1])
    if word.raw.startswith("#"):
        context.findings.add(
            "W101",
            word.start,
            word.end,
            "# does not start a comment here: it is a word of the step",
            "put the comment on a line of its own",
        )
    return context.reader.word(word)


def _verb(context: Context, head: Word, tool: str, verb: str) -> Verb:
    schema = context.tools.schema(tool)
    if schema is None:
        near = Near().add([*context.tools.names(), "notify", "sleep"]).find(tool)
        hint = f"did you mean {near}.{verb}?" if near else f"a tool is a program train-{tool} on PATH: install it"
        raise context.wrong("E701", head.start, head.start + len(tool), f"there is no tool {tool}", hint)
    commands = schema.get("commands")
    if not isinstance(commands, dict) or not commands:
        return Verb(None, f"{tool}.{verb}")
    entry = commands.get(verb)
    if not isinstance(entry, dict):
        near = Near().add(commands).find(verb)
        hint = f"did you mean {tool}.{near}?" if near else f"it has {', '.join(sorted(commands))}"
        raise context.wrong("E702", head.start, head.end, f"{tool} has no verb {verb}", hint)
    return Verb(entry, f"{tool}.{verb}", schema)


def _check_arity(context: Context, node: Control, verb: Verb) -> None:
    if not verb.known:
        return
    positional = verb.positional()
    many = any(verb.repeats(key) for key in positional)
    if len(node.args) > len(positional) and not many:
        word = node.args[len(positional)][0]
        hint = (
            f"its arguments are {', '.join(positional)}"
            if positional
            else "it takes only options, written name=value"
        )
        context.findings.add("E706", word.start, word.end, f"{verb.name} does not take {shorten(word.raw)}", hint)
    filled = {option.key for option in node.params} | set(positional[: len(node.args)])
    absent = [key for key in verb.required if key not in filled and not key.startswith("_")]
    if absent:
        head = node.head
        shown = ", ".join(absent)
        context.findings.add(
            "E704",
            head.start,
            head.end,
            f"{verb.name} needs {shown}",
            f"write {' '.join(f'{key}=VALUE' for key in absent)}",
        )
