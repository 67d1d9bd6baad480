"""Checks the examples of the docs and of the corpus with made-up tools, so that no tool of this machine matters."""

from pathlib import Path
from typing import Any

from trainsh_dsl.analysis import Analysis, analyse
from trainsh_dsl.diagnostics import show

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parents[1]
CODES = PACKAGE / "src" / "trainsh_dsl" / "diagnostics" / "codes.md"
LANGUAGE = ROOT / "docs" / "language.md"
CORPUS = ROOT / "tests" / "diagnostics"
# visible characters that stand for these control characters in files that people read
STAND_INS = {"\u2400": "\0", "\u241b": "\x1b", "\u2420": "\u00a0"}

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
                    "idle_stop": {
                        "anyOf": [{"type": "string"}, {"type": "null"}],
                        "x-kind": "duration",
                        "x-limits": True,
                    },
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


_REF = {"ref": {"type": ["string", "null"], "default": None, "x-positional": True, "x-kind": "host"}}
_HOST = {"host": {"type": "string", "x-positional": True, "x-kind": "host"}}


def _verb(properties: dict[str, Any], required: list[str], **effects: Any) -> dict[str, Any]:
    return {
        "params": {"type": "object", "properties": properties, "required": required},
        "returns": {"type": "object", "properties": {"hosts": {}}},
        **effects,
    }


# The schema of a provider of hosts, as in docs/providers.md.
ACME = {
    "name": "acme",
    "provides": ["hosts"],
    "commands": {
        "pick": _verb(
            {
                **_HOST,
                "num_gpus": {"type": "integer", "default": 1},
                "min_gpu_ram": {"type": ["integer", "null"], "x-kind": "size", "default": None},
                "max_dph": {"type": ["number", "null"], "x-kind": "money", "default": None},
                "limit": {"type": "integer", "default": 5},
            },
            ["host"], fills="host", rents=True,
        ),
        "start": _verb(_REF, [], rents=True),
        "wait": _verb(
            {
                **_REF,
                "timeout": {"type": ["number", "string"], "x-kind": "duration", "default": 600},
                "poll": {"type": ["number", "string"], "x-kind": "duration", "default": 10},
                "idle_stop": {"type": ["string", "null"], "default": None},
                "stop_on_fail": {"type": "boolean", "default": False},
            },
            [], ensures=True,
        ),
        "stop": _verb(_REF, [], releases="billing"),
        "destroy": _verb(_REF, [], releases="disk"),
        "list": _verb({}, []),
    },
}  # fmt: skip
SCHEMAS: dict[str, dict[str, Any]] = {"lab": LAB, "acme": ACME, "vast": ACME, "tmux": {}}


class Samples:
    """The tools of the examples: `lab`, and a provider that the first example of docs/language.md calls vast."""

    def schema(self, tool: str) -> dict[str, Any] | None:
        return SCHEMAS.get(tool)

    def has(self, tool: str) -> bool:
        return tool in SCHEMAS

    def names(self) -> list[str]:
        return ["lab", "acme", "tmux"]


def analysed(text: str, *, exec_: bool = False, given: tuple[str, ...] = ()) -> Analysis:
    """The analysis of a sample.

    With `exec_`, `both` is the name of a configured host and of a configured storage, and `bucket` that of a
    storage.
    """
    names = {"hosts": ("both", "gpu"), "storages": ("both", "bucket")} if exec_ else {}
    for stand_in, meant in STAND_INS.items():
        text = text.replace(stand_in, meant)
    hint_of = {"gpuu": "did you mean gpu?"}.get
    return analyse(text, name="sample", tools=Samples(), exec_=exec_, given=given, hint_of=hint_of, **names)


def shown(text: str, *, exec_: bool = False) -> str:
    """The text that `check` prints for a sample."""
    return show.many(analysed(text, exec_=exec_).diagnostics(), "sample.recipe") + "\n"


def codes(text: str, *, exec_: bool = False) -> list[str]:
    """The codes of a sample's diagnostics."""
    return [found.code for found in analysed(text, exec_=exec_).diagnostics()]
