"""Makes the table of docs/errors.md (each error's code, exit status and message) from the packages' sources."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEAD = """\
# Errors by code

Every error has a code, a stable word for programs (`--json` prints it), an exit status (`train help exit-codes`), a
message and a hint that can be pasted. In the messages, … stands for a value. Those that people ask about are
explained in [troubleshooting.md](troubleshooting.md). `make errors` writes this page.

| code | exit | message | hint |
|---|---|---|---|
"""
BASE = "TrainError"
Row = tuple[str, int, str, str]


def page(root: Path) -> str:
    """Return the text of docs/errors.md."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(root.glob("packages/*/src/**/*.py"))]
    classes = _classes(trees)
    rows = {row for tree in trees for row in _rows(tree, classes) if row[0]}
    rows |= {(code, status, "", "") for kinds in classes.values() for code, status in kinds}
    best: dict[tuple[str, int], Row] = {}
    for row in sorted(rows):
        kept = best.get(row[:2])
        if kept is None or len(row[2]) > len(kept[2]) > 0 or not kept[2]:
            best[row[:2]] = row
    lines = [
        f"| `{code}` | {exit_} | {_cell(message)} | {_cell(hint)} |" for code, exit_, message, hint in best.values()
    ]
    return HEAD + "".join(line + "\n" for line in sorted(lines))


def _classes(trees: list[ast.Module]) -> dict[str, list[tuple[str, int]]]:
    """Return class name -> list of (default code, exit status).

    If several packages have an error class with the same name, the list has several entries.
    """
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    by_name = {node.name: node for node in nodes}
    found: dict[str, list[tuple[str, int]]] = {}
    for node in nodes:
        lineage = list(_lineage(node, by_name))
        if lineage[-1].name == BASE:
            code = next(value for each in lineage for value in _constants(each, "default_code"))
            status = next(value for each in lineage for value in _constants(each, "exit_status"))
            found.setdefault(node.name, []).append((code, status))
    return found


def _lineage(node: ast.ClassDef, by_name: dict[str, ast.ClassDef]) -> Iterator[ast.ClassDef]:
    yield node
    for base in node.bases[:1]:
        above = by_name.get(ast.unparse(base).rpartition(".")[2])
        if above and above is not node:
            yield from _lineage(above, by_name)


def _constants(node: ast.ClassDef, name: str) -> Iterator[Any]:
    for line in node.body:
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
            yield from [line.value.value for target in line.targets if ast.unparse(target) == name]


def _rows(tree: ast.Module, classes: dict[str, list[tuple[str, int]]]) -> Iterator[Row]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.Call):
            yield from _listed(node.elts if isinstance(node, ast.Tuple) else node.args, classes)
        if not isinstance(node, ast.Call):
            continue
        given = {word.arg: word.value for word in node.keywords if word.arg}
        name = ast.unparse(node.func)
        if name in classes:
            own, status = classes[name][0]
            message, hint = ([_text(part) for part in node.args[:2]] + ["", ""])[:2]
            for word in _words(given["code"]) if "code" in given else [own]:
                yield word, status, message, hint
        elif "code" in given and "exit" in given:  # part of an answer that tells what went wrong
            kind = ast.unparse(given["exit"]).removesuffix(".exit_status")
            for word in _words(given["code"]) if kind in classes else ():
                yield word, classes[kind][0][1], "", ""


def _listed(parts: list[ast.expr], classes: dict[str, list[tuple[str, int]]]) -> Iterator[Row]:
    """Yield the rows of a table of errors in the source.

    Such a table has the class, code, message and hint of each error. {names} in the texts stand for values.
    """
    for kind, *texts in zip(parts, parts[1:], parts[2:], parts[3:], strict=False):
        if isinstance(kind, ast.Name) and kind.id in classes and all(map(_text, texts)):
            code, message, hint = (re.sub(r"\{\w+\}", "…", _text(text)) for text in texts)
            if re.fullmatch("[a-z_]+", code):
                yield code, classes[kind.id][0][1], message, hint


def _words(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression may have as its value.

    For "a" this is one text, for "a" if ... else "b" two.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _words(node.body)
        yield from _words(node.orelse)


def _text(node: ast.expr) -> str:
    """Return the text of a message, with … for each inserted value. Return "" if `node` is not a text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values]
        return "".join(parts)
    if isinstance(node, ast.BinOp):
        return f"{_text(node.left)}{_text(node.right) or '…'}"
    return ""


def _cell(text: str) -> str:
    """Return `text` as a cell of the table. If the text consists only of inserted values, the cell is empty."""
    words = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return words if words.strip(" …:;,") else ""
