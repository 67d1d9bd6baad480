"""Every code is documented, with an example that has only this code, and a corrected example that has none."""

import re
from pathlib import Path

import pytest

import dsl_refresh as refresh
from dsl_samples import CODES, CORPUS, LANGUAGE, PACKAGE, analysed, codes, shown
from trainsh_dsl.diagnostics.catalogue import Entry, entries

USED = set(
    re.findall(r'"([EW]\d{3})"', "".join(path.read_text() for path in PACKAGE.glob("src/trainsh_dsl/**/*.py")))
)
RECIPES = sorted(CORPUS.glob("*.recipe"))


def _exec(entry: Entry) -> bool:
    return f"### {entry.code}" in CODES.read_text() and entry.code == "E413"


@pytest.mark.parametrize("entry", entries().values(), ids=lambda entry: entry.code)
def test_example(entry: Entry) -> None:
    assert codes(entry.wrong, exec_=_exec(entry)) == [entry.code]
    assert shown(entry.wrong, exec_=_exec(entry)) == entry.shown
    assert analysed(entry.right, exec_=_exec(entry)).diagnostics() == []


def test_every_code_has_an_entry() -> None:
    assert set(entries()) == USED - {"E1234"}


def test_generated_pages_are_fresh() -> None:
    catalogue = CODES.read_text("utf-8")
    assert catalogue == refresh.codes(catalogue)
    assert LANGUAGE.read_text("utf-8") == refresh.language(LANGUAGE.read_text("utf-8"), catalogue)
    assert (PACKAGE / "src/trainsh_dsl/document/plan.schema.json").read_text("utf-8") == refresh.schema()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_corpus(recipe: object) -> None:
    text = recipe.read_bytes().decode("utf-8", "surrogateescape")
    expected = recipe.with_suffix(".txt").read_text("utf-8")
    assert shown(text, exec_=recipe.name.startswith("exec-")) == expected
    assert expected.count("\n\n") >= 1


def test_the_corpus_is_large_and_complete() -> None:
    assert len(RECIPES) >= 150
    found = set(
        re.findall(
            r"(?:error|warning) ([EW]\d{3})", "".join(path.read_text("utf-8") for path in CORPUS.glob("*.txt"))
        )
    )
    assert found == set(entries())


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_hints_name_no_tool_that_the_recipe_does_not_use(recipe: Path) -> None:
    text = recipe.read_bytes().decode("utf-8", "replace")
    hints = [line for line in recipe.with_suffix(".txt").read_text("utf-8").splitlines() if " = " in line]
    for provider in ("acme", "lab", "vast", "colab"):
        named = [hint for hint in hints if re.search(rf"\b{provider}\b", hint) and "did you mean" not in hint]
        assert not named or provider in text


def test_the_example_of_the_page_is_right() -> None:
    page = LANGUAGE.read_text("utf-8")
    example = re.search(r"(?:^    .*\n|^\n)+", page[page.index("    # Variables") :], re.MULTILINE)[0]
    assert codes(re.sub(r"^    ", "", example, flags=re.MULTILINE)) == []
