"""All tools use the same words: the keys of all parameters and answers are checked in every schema."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BIN = Path(sys.executable).parent
TOOLS = sorted(path.name for path in BIN.glob("train-*"))
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
# A row of "The words of documents": | `seconds` | what it means | `ms`, `duration` |
ROW = re.compile(r"^\| `(\w+)`[^|]*\|[^|]*\|(.*)\|$", re.MULTILINE)
# Commands whose answer is a plain text that a person typed.
TEXTS = {"train-ask choose", "train-ask confirm", "train-ask text", "train-ask secret"}


def synonyms() -> dict[str, str]:
    """The words that must not be used, each with the word to use instead."""
    section = DOCUMENT.read_text().partition("### The words of documents")[2].partition("\n#")[0]
    return {other: word for word, others in ROW.findall(section) for other in re.findall(r"`(\w+)`", others)}


def schema(program: str) -> dict[str, Any]:
    """The schema that a tool prints."""
    done = subprocess.run([BIN / program, "schema"], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def keys(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every key of an object that a schema describes, with the place of that object."""
    if isinstance(node, dict):
        for key in node.get("properties") or {}:
            yield path, key
        for key, each in node.items():
            yield from keys(each, f"{path}/{key}")
    elif isinstance(node, list):
        for each in node:
            yield from keys(each, path)


@pytest.mark.parametrize("program", TOOLS)
def test_keys(program: str) -> None:
    others = synonyms()
    wrong = [f"{at}: {key} (say {others[key]})" for at, key in keys(schema(program)) if key in others]
    assert wrong == []


@pytest.mark.parametrize("program", TOOLS)
def test_answers_are_documents(program: str) -> None:
    bare = [
        f"{program} {name}" for name, command in schema(program)["commands"].items() if not is_document(command)
    ]
    assert sorted(set(bare) - TEXTS) == []


def is_document(command: dict[str, Any]) -> bool:
    """Whether a command answers with an object, a list of objects, or nothing."""
    returns = command["returns"]
    kinds = returns.get("anyOf", [returns])
    kinds = [kind.get("items", {}) if kind.get("type") == "array" else kind for kind in kinds]
    return all("$ref" in kind or kind.get("type") in ("object", "null", None) for kind in kinds)


def test_a_planted_synonym_is_found() -> None:
    planted = {"$defs": {"Row": {"properties": {"ms": {}, "state": {}}}}}
    others = synonyms()
    assert [(key, others[key]) for _, key in keys(planted) if key in others] == [("ms", "seconds")]
    assert not is_document({"returns": {"type": "array", "items": {"type": "string"}}})
    assert not is_document({"returns": {"type": "string"}})


def test_one_schema_for_all() -> None:
    done = subprocess.run([BIN / "train", "schema"], stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    assert sorted(found["tools"]) == sorted(name.removeprefix("train-") for name in TOOLS)
    assert found["tools"]["host"] == schema("train-host")
    done = subprocess.run([BIN / "train", "schema", "host", "show"], stdout=subprocess.PIPE, check=True)
    assert json.loads(done.stdout)["params"]["required"] == ["name"]
