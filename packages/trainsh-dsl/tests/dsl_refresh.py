"""Writes generated files: messages in codes.md, the catalogue in docs/language.md, .txt files of the corpus, the
schema.

After a message has changed, run `python packages/trainsh-dsl/tests/dsl_refresh.py` and read the diff.
"""

import re

import msgspec

from dsl_samples import CODES, CORPUS, LANGUAGE, PACKAGE, shown
from trainsh_dsl.document.plan import Plan

_EXAMPLE = re.compile(r"```(recipe(?:-exec)?)\n((?:(?!```).)*)```\n\n```text\n(?:(?!```).)*```", re.DOTALL)
MARK = "<!-- From here on this page is generated from codes.md: tests/dsl_refresh.py writes it. -->\n"


def codes(document: str) -> str:
    """The text of codes.md with every message as the checks print it now."""
    return _EXAMPLE.sub(
        lambda found: f"```{found[1]}\n{found[2]}```\n\n```text\n{shown(found[2], exec_='exec' in found[1])}```",
        document,
    )


def language(document: str, catalogue: str) -> str:
    """The text of docs/language.md with the catalogue as it is now."""
    head = document.partition(MARK)[0].rstrip("\n") + "\n\n"
    titles = re.findall(r"^### ([EW]\d{3}) (.+)$", catalogue, re.MULTILINE)
    index = "".join(f"| {code} | {title.replace('|', chr(92) + '|')} |\n" for code, title in titles)
    return f"{head}{MARK}\n## Every diagnostic\n\n| Code | What is wrong |\n|---|---|\n{index}\n{catalogue}"


def schema() -> str:
    """The text of plan.schema.json."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Plan)), indent=2).decode() + "\n"


def main() -> None:
    """Write all generated files."""
    catalogue = codes(CODES.read_text("utf-8"))
    CODES.write_text(catalogue, "utf-8")
    LANGUAGE.write_text(language(LANGUAGE.read_text("utf-8"), catalogue), "utf-8")
    (PACKAGE / "src" / "trainsh_dsl" / "document" / "plan.schema.json").write_text(schema(), "utf-8")
    for recipe in sorted(CORPUS.glob("*.recipe")):
        text = recipe.read_bytes().decode("utf-8", "surrogateescape")
        recipe.with_suffix(".txt").write_text(shown(text, exec_=recipe.name.startswith("exec-")), "utf-8")


if __name__ == "__main__":
    main()
