"""Named recipes are created, shown and edited."""

from typing import TYPE_CHECKING

from trainsh_base.testing import Terminal

if TYPE_CHECKING:
    from conftest import Place

# An editor that breaks the recipe the first time and repairs it the second time.
EDITOR = """#!/bin/sh
if [ -e once ]; then sed -i.old '/nonsense/d' "$1"; else touch once; echo nonsense >>"$1"; fi
"""


def editor(place: "Place") -> None:
    place.tool("editor", EDITOR)
    place.extra = {"EDITOR": "train-editor"}
    place.run("new", "mine")


def edit(place: "Place") -> Terminal:
    return Terminal(["sh", "-c", f'cd "{place.work}" && exec train-recipe edit mine'], place.env)


def test_a_recipe_with_errors_is_opened_again(place: "Place") -> None:
    editor(place)
    terminal = edit(place)
    terminal.expect("Open it again?")
    assert "E101" in terminal.text
    terminal.type("y\n")
    assert terminal.wait() == 0
    assert "nonsense" not in (place.config / "recipes" / "mine.recipe").read_text()


def test_one_may_stop_with_errors_in_it(place: "Place") -> None:
    editor(place)
    terminal = edit(place)
    terminal.expect("Open it again?")
    terminal.type("n\n")
    assert terminal.wait() == 2


def test_without_a_terminal_there_is_no_editor(place: "Place") -> None:
    editor(place)
    done = place.run("edit", "mine")
    assert done.returncode == 2 and str(place.config / "recipes" / "mine.recipe") in done.stderr


def test_a_recipe_as_data_and_as_a_graph(place: "Place") -> None:
    text = (
        "var A = a\nhost h = local\nstorage s = file:/x\ntmux.open @h as w\n@w > echo $A\nfinally\ntmux.close @w\n"
    )
    shown = place.json("show", place.recipe(text))
    assert (shown["vars"], shown["hosts"], shown["storages"]) == (["A"], {"h": "local"}, {"s": "file:/x"})
    assert (shown["steps"], shown["finally_steps"], shown["text"]) == (2, 1, text)
    assert place.run("show", "./r.recipe", "--graph").stdout.startswith("flowchart")


def test_a_name_that_is_none_is_refused(place: "Place") -> None:
    assert place.run("new", "a/b").returncode == place.run("new", "bad name").returncode == 2
    assert place.run("new", "x", "--template", "minmal").returncode == 3
