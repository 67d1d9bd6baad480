"""The table of settings: values of each type in and out, and the documentation made from it."""

import re
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.errors import UsageError
from trainsh_base.system.settings import SETTINGS, Setting, find, from_environment, markdown, meaning, stored

ROOT = Path(__file__).parents[3]
KINDS = {
    "text": Setting(name="a.text", kind="text", default=None, help=""),
    "choice": Setting(name="a.choice", kind="text", default="USD", help="", choices=("USD", "EUR")),
    "flag": Setting(name="a.flag", kind="flag", default=True, help=""),
    "number": Setting(name="a.number", kind="number", default=1, help=""),
    "size": Setting(name="a.size", kind="size", default="1M", help=""),
    "duration": Setting(name="a.duration", kind="duration", default="10m", help=""),
    "list": Setting(name="a.list", kind="list", default=[], help=""),
}


@pytest.mark.parametrize(
    ("kind", "words", "held", "means"),
    [
        pytest.param("text", ["pass show {name}"], "pass show {name}", "pass show {name}", id="text"),
        pytest.param("text", ["12"], "12", "12", id="text-of-digits"),
        pytest.param("choice", ["eur"], "EUR", "EUR", id="choice-in-lower-case"),
        pytest.param("flag", ["on"], True, True, id="flag-on"),
        pytest.param("flag", ["False"], False, False, id="flag-false"),
        pytest.param("flag", [False], False, False, id="flag-json"),
        pytest.param("number", ["50000"], 50000, 50000, id="number"),
        pytest.param("number", [7], 7, 7, id="number-json"),
        pytest.param("size", ["16M"], "16M", 16 * 1024**2, id="size"),
        pytest.param("size", ["512"], 512, 512, id="size-bytes"),
        pytest.param("duration", ["1h30m"], "1h30m", 5400.0, id="duration"),
        pytest.param("duration", ["90"], 90, 90.0, id="duration-seconds"),
        pytest.param("list", ["json://a", "x://b"], ["json://a", "x://b"], ["json://a", "x://b"], id="list"),
        pytest.param("list", [], [], [], id="empty-list"),
    ],
)  # fmt: skip
def test_a_value_is_stored_typed_and_means_what_it_says(kind: str, words: list[Any], held: Any, means: Any) -> None:
    setting = KINDS[kind]
    assert stored(setting, words) == held
    assert type(stored(setting, words)) is type(held)
    assert meaning(setting, held) == means


@pytest.mark.parametrize(
    ("kind", "words", "said"),
    [
        pytest.param("choice", ["GBB"], 'cannot be "GBB"', id="choice"),
        pytest.param("flag", ["maybe"], 'cannot be "maybe"', id="flag"),
        pytest.param("number", ["many"], 'cannot be "many"', id="number-word"),
        pytest.param("number", ["-1"], "cannot be -1", id="number-negative"),
        pytest.param("size", ["16X"], 'cannot be "16X"', id="size"),
        pytest.param("duration", ["10 minutes"], 'cannot be "10 minutes"', id="duration"),
        pytest.param("duration", ["0"], "cannot be 0", id="duration-zero"),
        pytest.param("text", ["a", "b"], "takes one value, got 2", id="two-words"),
        pytest.param("text", [], "takes one value, got 0", id="no-word"),
    ],
)
def test_a_wrong_value_is_refused_with_the_value_named(kind: str, words: list[Any], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        stored(KINDS[kind], words)


@pytest.mark.parametrize(
    ("kind", "held"),
    [
        ("flag", "true"), ("flag", 1), ("number", "5"), ("number", True), ("number", 1.5), ("text", 5),
        ("size", True), ("list", "one"), ("list", [1]), ("duration", ["1m"]),
    ],
)  # fmt: skip
def test_a_file_with_a_value_of_the_wrong_type_is_reported_with_its_place(kind: str, held: Any) -> None:
    with pytest.raises(UsageError, match=r"config\.toml: a\."):
        meaning(KINDS[kind], held, "config.toml")


def test_the_environment_splits_lists_and_names_its_variable_when_wrong() -> None:
    assert from_environment(KINDS["list"], "json://a  json://b") == ["json://a", "json://b"]
    assert from_environment(KINDS["flag"], "0") is False
    with pytest.raises(UsageError, match=r"TRAINSH_A_NUMBER: a\.number cannot be"):
        from_environment(KINDS["number"], "x")


def test_the_nearest_name_is_offered() -> None:
    with pytest.raises(UsageError) as caught:
        find(next(iter(SETTINGS))[:-1])
    assert caught.value.hint == f"did you mean {next(iter(SETTINGS))}?"


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.name)
def test_every_default_is_a_value_of_its_type(setting: Setting) -> None:
    meaning(setting, setting.default)
    assert setting.help and not setting.help.endswith(".")


SOURCES = [file for file in ROOT.glob("packages/*/src/**/*.py") if file.name != "settings.py"]


def _read_names() -> set[str]:
    """The settings that sources ask for: by their name, or as fields of a struct under a table's name."""
    names: set[str] = set()
    for file in SOURCES:
        text = file.read_text()
        names |= {name for name in SETTINGS if f'"{name}"' in text}
        for table in re.findall(r'config_value\(\s*f"(\w+)\.\{', text):
            names |= {
                name for name in SETTINGS if name.startswith(f"{table}.") and f"{name.partition('.')[2]}:" in text
            }
    return names


@pytest.mark.parametrize("name", sorted(set(SETTINGS) - {"version"}))
def test_every_setting_is_read_by_something(name: str) -> None:
    assert name in _read_names(), f"nothing reads {name}: take it out of the table"


def test_everything_that_is_read_is_a_setting() -> None:
    read = {name for file in SOURCES for name in re.findall(r'config_value\(\s*"([^"]+)"', file.read_text())}
    assert read and read <= set(SETTINGS)


def test_the_documented_table_is_the_table() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    assert markdown() in text, (
        "docs/configuration.md is stale: python -m trainsh_base.system.settings prints the table"
    )
