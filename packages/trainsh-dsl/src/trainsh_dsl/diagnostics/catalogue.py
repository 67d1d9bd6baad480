"""Reads the codes of diagnostics, with their explanations, from codes.md when they are first needed."""

import re
from functools import cache

import msgspec

from trainsh_dsl.text.patterns import lazy

_ENTRY = lazy(r"^### ([EW]\d{3}) (.+)$", re.MULTILINE)
_BLOCK = lazy(r"^```([\w-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = __file__.removesuffix("catalogue.py") + "codes.md"


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A diagnostic code.

    `wrong` is a recipe that causes it, `shown` is what `check` prints for that recipe, and `right` is the corrected
    recipe.
    """

    code: str
    severity: str
    title: str
    text: str
    wrong: str
    shown: str
    right: str


@cache
def entries() -> dict[str, Entry]:
    """All entries, keyed by code, in the order of codes.md."""
    with open(FILE, encoding="utf-8") as file:  # noqa: PTH123 - importing pathlib would cost every start 4 ms
        document = file.read()
    heads = list(_ENTRY.finditer(document))
    ends = [head.start() for head in heads[1:]] + [len(document)]
    found = (_entry(head, document[head.end() : end]) for head, end in zip(heads, ends, strict=True))
    return {entry.code: entry for entry in found}


def _entry(head: re.Match[str], body: str) -> Entry:
    body = re.split(r"^## ", body, maxsplit=1, flags=re.MULTILINE)[0]
    blocks = [(kind, text) for kind, text in _BLOCK.findall(body)]
    recipes = [text for kind, text in blocks if kind.startswith("recipe")]
    shown = next((text for kind, text in blocks if kind == "text"), "")
    return Entry(
        code=head[1],
        severity="error" if head[1][0] == "E" else "warning",
        title=head[2],
        text=_BLOCK.split(body)[0].strip(),
        wrong=recipes[0] if recipes else "",
        shown=shown,
        right=recipes[1] if len(recipes) > 1 else "",
    )


def is_code(word: str) -> bool:
    """Whether `word` is the code of a diagnostic."""
    return word in entries()
