"""How examples are checked, in docs and corpus alike: with one made-up tool and nothing of this machine."""

from pathlib import Path
from typing import Any

from trainsh_dsl.analysis import Analysis, analyse
from trainsh_dsl.diagnostics import show
from trainsh_dsl.vocabulary.tool_schemas import SUITE

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parents[1]
CODES = PACKAGE / "src" / "trainsh_dsl" / "diagnostics" / "codes.md"
LANGUAGE = ROOT / "docs" / "language.md"
CORPUS = ROOT / "tests" / "diagnostics"
STAND_INS = {"\u2400": "\0", "\u241b": "\x1b", "\u2420": "\u00a0"}  # in files that people read

LAB = {
    "name": "lab",
    "commands": {
        "rent": {
            "params": {
                "type": "object",
                "properties": {
                    "gpus": {"type": "integer", "default": 1},
                    "kind": {"enum": ["fast", "cheap"], "default": "fast"},
                    "timeout": {"type": ["number", "string"], "x-kind": "duration", "default": 60},
                    "tags": {"type": "array", "items": {"type": "string"}, "default": []},
                    "spot": {"anyOf": [{"type": "boolean"}, {"type": "null"}], "default": None},
                },
                "required": [],
            }
        },
        "book": {
            "params": {
                "type": "object",
                "properties": {
                    "day": {"type": "string", "x-positional": True},
                    "hours": {"type": "number", "default": 1},
                },
                "required": ["day"],
            }
        },
    },
}


class OneTool:
    """The suite, of which nothing is known, and `lab`, with the schema above."""

    def schema(self, tool: str) -> dict[str, Any] | None:
        if tool == "lab":
            return LAB
        return {} if tool in SUITE else None

    def names(self) -> list[str]:
        return ["lab"]


def analysed(text: str, *, exec_: bool = False, given: tuple[str, ...] = ()) -> Analysis:
    """A sample as it is checked; for exec `both` is a configured host and storage, `bucket` a storage."""
    names = {"hosts": ("both", "gpu"), "storages": ("both", "bucket")} if exec_ else {}
    for stand_in, meant in STAND_INS.items():
        text = text.replace(stand_in, meant)
    return analyse(text, name="sample", tools=OneTool(), exec_=exec_, given=given, **names)


def shown(text: str, *, exec_: bool = False) -> str:
    """What `check` prints of a sample."""
    return show.many(analysed(text, exec_=exec_).diagnostics(), "sample.recipe") + "\n"


def codes(text: str, *, exec_: bool = False) -> list[str]:
    """The codes of a sample's diagnostics."""
    return [found.code for found in analysed(text, exec_=exec_).diagnostics()]
