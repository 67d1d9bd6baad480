"""Settings: values of each type in and out, who declares and reads them, and their documentation."""

import re
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.configuration import settings
from trainsh_base.system.configuration.settings import (
    Setting,
    find,
    from_environment,
    installed,
    markdown,
    meaning,
    parse,
    stored,
)

ROOT = Path(__file__).parents[3]
DECLARED = sorted(ROOT.glob("packages/*/share/trainsh/settings/*"))
KINDS = {
    "text": Setting(name="a.text", kind="text", default=None, help=""),
    "choice": Setting(name="a.choice", kind="text", default="USD", help="", choices=("USD", "EUR")),
    "flag": Setting(name="a.flag", kind="flag", default=True, help=""),
    "number": Setting(name="a.number", kind="number", default=1, help=""),
    "size": Setting(name="a.size", kind="size", default="1M", help=""),
    "duration": Setting(name="a.duration", kind="duration", default="10m", help=""),
    "money": Setting(name="a.money", kind="money", default=None, help=""),
    "idle": Setting(name="a.idle", kind="duration-or-off", default="30m", help=""),
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
        pytest.param("money", ["2.50"], 2.5, 2.5, id="money"),
        pytest.param("idle", ["off"], "off", "off", id="off"),
        pytest.param("idle", ["45m"], "45m", 2700.0, id="duration-or-off"),
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


def test_an_unknown_name_is_not_found_and_the_nearest_is_offered() -> None:
    with pytest.raises(NotFound) as caught:
        find("recipe.timeut")
    assert caught.value.hint == "did you mean recipe.timeout?"


@pytest.mark.parametrize("file", DECLARED, ids=lambda file: file.name)
def test_a_package_declares_a_table_of_its_own_and_reads_each_key(file: Path) -> None:
    text = file.read_text()
    rows = parse(text, file.name)
    assert len(rows) == len(text.splitlines()), "a line that is no setting"
    assert [other for other in DECLARED if other.name == file.name] == [file]
    sources = [path.read_text() for path in file.parents[3].glob("src/**/*.py")]
    for name, setting in rows.items():
        meaning(setting, setting.default)
        assert setting.help and not setting.help.endswith(".")
        table, _, key = name.partition(".")
        read = f'"{name}"'
        # a struct whose fields are the keys of the table
        as_fields = re.compile(rf'config_value\(\s*f"{table}\.\{{')
        assert any(read in source or (as_fields.search(source) and f" {key}:" in source) for source in sources), (
            name
        )


def test_everything_that_is_read_is_declared_by_the_package_that_reads_it() -> None:
    read = 0
    for file in ROOT.glob("packages/*/src/**/*.py"):
        package = file.relative_to(ROOT / "packages").parts[0]
        for name in re.findall(r'config_value\(\s*"([^"]+)"', file.read_text()):
            table = ROOT / "packages" / package / "share/trainsh/settings" / name.partition(".")[0]
            assert name in parse(table.read_text(), table.name), f"{file} reads {name}"
            read += 1
    assert read


def test_a_file_of_a_stranger_is_read_line_by_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = tmp_path / "share/trainsh/settings/shed"
    table.parent.mkdir(parents=True)
    table.write_text(
        "# of train-shed\nshed.colour\tred|blue\tred\tits colour\nnonsense\nshed.size\tvast\t1\tno such kind\n"
        "other.key\ttext\t\tnot of this table\nshed.count\tnumber\tmany\tits default is no number\n"
    )
    program = tmp_path / "bin/train-shed"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    assert find("shed.colour").choices == ("red", "blue")
    assert {name for name in installed() if name.startswith(("shed.", "other."))} == {"shed.colour"}


def test_a_setting_is_found_without_a_look_at_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings.share, "every_folder", lambda: pytest.fail("PATH was searched"))
    assert find("ssh.persist").kind == "duration"


def test_the_documented_table_is_what_the_tools_declare() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    assert markdown() in text, (
        "docs/configuration.md is stale: python -m trainsh_base.system.configuration.settings prints the table"
    )
