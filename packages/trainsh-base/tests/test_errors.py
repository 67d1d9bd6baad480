"""The classes of errors, the most similar names, and how answers look to people."""

import pytest

from trainsh_base import errors
from trainsh_base.errors import TrainError, from_document
from trainsh_base.system.suggest import command_instead, did_you_mean, nearest
from trainsh_base.tool import display

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TrainError)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_survives_the_wire(kind: type[TrainError]) -> None:
    sent = kind("what", "do this", code="a_code", data={"n": [1]})
    got = from_document(sent.document())
    assert type(got) is kind
    assert got.document() == sent.document()


def test_no_two_classes_share_an_exit_status_or_a_code() -> None:
    assert len({kind.exit_status for kind in KINDS}) == len({kind.default_code for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("document", [{}, {"exit": 12345}, {"message": None, "data": None}])
def test_a_strange_document_is_an_error_all_the_same(document: dict[str, object]) -> None:
    assert isinstance(from_document(document), TrainError)


@pytest.mark.parametrize(
    ("word", "found"), [("currencey", "currency"), ("CURRENCY", "currency"), ("xyzzy", None), ("", None)]
)
def test_the_nearest_name(word: str, found: str | None) -> None:
    assert nearest(word, ["currency", "theme"]) == found


def test_a_hint_names_the_nearest_or_what_there_is() -> None:
    assert did_you_mean("thme", ["theme"]) == "did you mean theme?"
    assert did_you_mean("xyzzy", ["b", "a"]) == "known: a, b"
    assert did_you_mean("xyzzy", ["b"], "see: train help") == "see: train help"
    assert did_you_mean("xyzzy", []) == "none is known yet"


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("remove", ["delete", "list"], "did you mean delete?"), ("delete", ["add", "remove"], "did you mean remove?"),
        ("rm", ["run", "delete"], "did you mean delete?"), ("ls", ["lose", "list"], "did you mean list?"),
        ("get", ["set", "show"], "did you mean show?"), ("lsit", ["list"], "did you mean list?"),
        ("unset", ["set", "reset"], "did you mean reset?"), ("stop", ["up", "down"], "did you mean down?"),
        ("kill-session", ["kill", "close"], "did you mean close?"), ("new", ["add", "show"], "did you mean add?"),
        ("rename", ["edit", "remove"], "did you mean edit?"), ("mv", ["edit", "remove"], "did you mean edit?"), ("rm", ["x"], "known: x"),
    ],
)  # fmt: skip
def test_an_unknown_command_is_answered_with_the_one_of_the_same_meaning(
    word: str, known: list[str], hint: str
) -> None:
    assert command_instead(word, known) == hint


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "yes"), (False, "no"), (0.5, "0.5"), (2.0, "2"), ([1, "a"], "1, a"), ({"a": 1}, '{"a":1}')],
)
def test_a_cell_is_text(value: object, text: str) -> None:
    assert display.cell(value) == text


def test_a_document_is_aligned_lines_without_what_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    display.show({"name": "a", "long_name": 0, "none": None, "list": []})
    assert capsys.readouterr().out == "name:      a\nlong name: 0\n"


def test_plain_columns_stay_in_line_where_a_cell_has_lines(capsys: pytest.CaptureFixture[str]) -> None:
    display.table([{"a": "x\ny", "b": 1}, {"a": "long one", "b": None}], {"b": "second", "a": "first"})
    assert capsys.readouterr().out == "SECOND  FIRST\n1       x y\n        long one\n"
