"""Makes manual pages in roff (man macros): for a tool from its schema, for a topic from its text, and for
`train`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainsh_base import VERSION
from trainsh_help.generate.tables import COMMON, choices, is_flag, is_many

FRONT = """\
train finds and runs train-COMMAND, as git does: beside itself first, then on PATH. Each is a small program that is
useful alone, with --json for pipes and serve for programs. Recipes tie them together: they run in tmux sessions on
the machines themselves, survive a closed laptop, and never run a step twice."""


def escape(text: str) -> str:
    """Escape `text` so that roff prints backslashes and dashes unchanged, and takes no line for a request."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in lines)


def _title(name: str, section: int) -> str:
    return f'.TH "{name.upper()}" "{section}" "" "tmux\\-trainsh {VERSION}" "tmux\\-trainsh"\n'


def _verbatim(lines: list[str]) -> str:
    return ".PP\n.nf\n" + "".join(escape(line) + "\n" for line in lines) + ".fi\n"


def tool_page(schema: dict[str, Any], examples: Path) -> str:
    """Return the manual page of `train-NAME`."""
    name = schema["name"]
    parts = [_title(f"train-{name}", 1), ".SH NAME\n", f"train\\-{name} \\- {escape(schema['summary'])}\n"]
    parts += [".SH SYNOPSIS\n", f".B train {escape(name)}\n.I COMMAND\n[\n.I ARGUMENTS\n]\n", ".SH COMMANDS\n"]
    for word, command in schema["commands"].items():
        parts += _command(name, word, command)
    parts.append(".SH COMMON OPTIONS\n")
    for flag, value, text in COMMON:
        parts.append(_item(flag if value == "-" else f"{flag} FILE", text))
    if examples.is_file():
        parts.append(".SH EXAMPLES\n")
        for line in examples.read_text(encoding="utf-8").splitlines():
            _, example, about = line.split("\t")
            parts.append(f".PP\n{escape(about)}:\n" + _verbatim([f"    {example}"]))
    parts.append(".SH EXIT STATUS\n.PP\n0 when it is done; the others are in\n.BR train\\-exit\\-codes (7).\n")
    parts.append(".SH SEE ALSO\n.BR train (1),\n.BR train\\-files (7),\n.BR train\\-protocol (7)\n")
    return "".join(parts)


def _command(tool: str, word: str, command: dict[str, Any]) -> Iterator[str]:
    properties = command["params"].get("properties", {})
    required = command["params"].get("required", [])
    yield f".SS {escape(f'train {tool} {word}')}\n"
    yield ".PP\n.nf\n" + escape(_usage(tool, word, properties, required)) + "\n.fi\n"
    yield from _paragraphs(command["help"])
    for prop in properties.values():
        yield _item(_flag(prop), prop["description"] + _default(prop))


def _usage(tool: str, word: str, properties: dict[str, Any], required: list[str]) -> str:
    words = [f"train {tool} {word}"]
    for key, prop in properties.items():
        if prop["x-positional"]:
            text = prop["x-flag"] + ("..." if is_many(prop) else "")
            words.append(text if key in required else f"[{text}]")
    return " ".join([*words, "[OPTIONS]"])


def _flag(prop: dict[str, Any]) -> str:
    if prop["x-positional"]:
        return str(prop["x-flag"])
    flags = ", ".join(filter(None, (prop.get("x-short"), prop["x-flag"])))
    if is_flag(prop):
        return flags if prop.get("default") is False else f"{flags}, --no-{prop['x-flag'][2:]}"
    return f"{flags} {'|'.join(choices(prop)) or 'VALUE'}"


def _default(prop: dict[str, Any]) -> str:
    value = prop.get("default")
    return f" (default: {value})" if value not in (None, "", [], {}) and not isinstance(value, bool) else ""


def _item(term: str, text: str) -> str:
    return f".TP\n.B {escape(term)}\n{escape(text)}\n"


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of `text` in roff. A paragraph that begins with \\b or a blank is printed unchanged."""
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.split("\n")
        if lines[0] == "\b" or lines[0].startswith(" "):
            yield _verbatim([line for line in lines if line != "\b"])
        else:
            yield f".PP\n{escape(block)}\n"


def topic_page(name: str, text: str) -> str:
    """Return the manual page of a topic, made from its text.

    The first line is the summary. A line in capitals is a heading. Indented lines are printed unchanged.
    """
    summary, _, rest = text.partition("\n")
    parts = [_title(f"train-{name}", 7), ".SH NAME\n", f"train\\-{escape(name)} \\- {escape(summary)}\n"]
    for block in re.split(r"\n\s*\n", rest.strip("\n")):
        lines = block.split("\n")
        if len(lines) == 1 and lines[0].isupper():
            parts.append(f".SH {escape(lines[0])}\n")
        elif lines[0].startswith(" "):
            parts.append(_verbatim(lines))
        else:
            parts.append(f".PP\n{escape(block)}\n")
    return "".join(parts)


def front_page(summaries: dict[str, str]) -> str:
    """Return the manual page of `train` itself. `summaries` maps each tool's name to its summary."""
    parts = [
        _title("train", 1),
        ".SH NAME\ntrain \\- run training on rented GPUs and your own machines from recipes\n",
    ]
    parts.append(".SH SYNOPSIS\n.B train\n.I COMMAND\n[\n.I ARGUMENTS\n]\n")
    parts.append(f".SH DESCRIPTION\n.PP\n{escape(FRONT)}\n.SH COMMANDS\n")
    for name, text in summaries.items():
        parts.append(_item(f"train {name}", text) + f".BR train\\-{escape(name)} (1)\n")
    options = {
        "--help": "the commands, by what they are for",
        "--version, -v": "the version",
        "--quiet, --verbose, --json, ...": "before a command: as behind it, where every command has them",
        "--list [--json]": "the commands, a line each",
        "--exec-path": "the folder they are in",
    }
    parts.append(".SH OPTIONS\n")
    parts += [_item(flag, text) for flag, text in options.items()]
    parts.append(
        ".SH SEE ALSO\n.BR train\\-recipes (7),\n.BR train\\-exit\\-codes (7),\n.BR train\\-environment (7),\n"
    )
    parts.append(".BR train\\-files (7),\n.BR train\\-protocol (7)\n")
    return "".join(parts)
