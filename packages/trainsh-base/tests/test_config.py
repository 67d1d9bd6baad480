"""config.toml: what is read, what a change leaves untouched, and what is refused."""

import os
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from trainsh_base.errors import Conflict, UsageError
from trainsh_base.system.configuration import config, settings, share

OLD = """\
# my settings, do not touch
version = 1

[defaults]
ssh_key_path = "~/.ssh/id_rsa"   # the old key

[vast]
auto_attach_ssh_key = true

[ui]
# euros at home
currency = "USD"  # for now
theme = "dark"

[mine]
answer = 42
deep = { er = [1, 2] }
"""


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings of the tests' own, so that the tests do not depend on the settings of the tools."""
    rows = [
        ("ui.currency", "text", "USD"),
        ("vast.auto_attach_ssh_key", "flag", "true"),
        ("net.wait", "duration", "5m"),
        ("net.limit", "size", "1M"),
        ("net.targets", "list", ""),
        ("a.b.c", "text", ""),
    ]
    folder = tmp_path / "share"
    (folder / "settings").mkdir(parents=True)
    for name, kind, default in rows:
        with (folder / "settings" / name.partition(".")[0]).open("a") as file:
            file.write(f"{name}\t{kind}\t{default}\th\n")
    monkeypatch.setattr(settings, "_tables", {})
    for found in ("own_folders", "every_folder"):
        monkeypatch.setattr(share, found, lambda: [str(folder)])


CONFIG = [str(Path(sys.executable).with_name("train-config")), "set", "recipe.timeout", "5m"]


@pytest.mark.parametrize("place", ["/proc/no-such", "/sys/train", "FILE", "FILE/below"])
def test_a_home_that_cannot_be_is_named_with_what_to_do(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    home = place.replace("FILE", str(tmp_path / "file"))
    done = subprocess.run(
        CONFIG, env={**os.environ, "TRAINSH_HOME": home}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 5
    assert f"cannot use {home}" in done.stderr and "set TRAINSH_HOME to a folder that is" in done.stderr


def test_a_home_that_is_read_only_is_named_with_what_to_do() -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("TRAINSH_HOME", "XDG_"))}
    done = subprocess.run(CONFIG, env=env | {"HOME": "/proc"}, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert "cannot use /proc/.config: " in done.stderr and "set TRAINSH_HOME to a folder that is" in done.stderr


def test_a_full_disk_is_exit_5_and_changes_nothing(tmp_path: Path) -> None:
    limit = "import resource, os, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); os.execv(sys.argv[1], sys.argv[1:])"
    env = {**os.environ, "TRAINSH_HOME": str(tmp_path / "h")}
    done = subprocess.run(
        [sys.executable, "-c", limit, *CONFIG], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 5 and "free some space and run the command again" in done.stderr
    assert f"cannot write {tmp_path}/h/config.toml: " in done.stderr
    assert [path.name for path in (tmp_path / "h").iterdir()] == [".config.toml.lock"]


@pytest.fixture
def file(home: Path) -> Path:
    home.mkdir()
    return home / "config.toml"


def put(name: str, value: Any) -> None:
    config.change(lambda document: config.put(document, name, value))


def test_without_a_file_every_value_is_its_default() -> None:
    assert config.config_value("ui.currency") == "USD"
    assert config.config_value("net.wait") == 300.0
    assert config.config_value("net.limit") == 1024**2
    assert config.config_value("a.b.c") is None


def test_the_file_overrides_the_default_and_the_environment_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('[net]\nwait = "2s"\n')
    assert config.config_value("net.wait") == 2.0
    assert config.lookup(settings.find("net.wait"), config.load()).source == "file"
    monkeypatch.setenv("TRAINSH_NET_WAIT", "1m")
    assert config.config_value("net.wait") == 60.0
    assert config.lookup(settings.find("net.wait"), config.load()).source == "environment"


def test_a_change_to_a_file_of_0_9_leaves_every_other_byte(file: Path) -> None:
    file.write_text(OLD)
    put("ui.currency", "EUR")
    assert file.read_text() == OLD.replace('currency = "USD"', 'currency = "EUR"')


def test_a_new_key_of_an_old_table_goes_into_it(file: Path) -> None:
    file.write_text(OLD)
    put("vast.new", 1)
    assert tomllib.loads(file.read_text())["vast"] == {"auto_attach_ssh_key": True, "new": 1}
    assert [line for line in OLD.splitlines() if line not in file.read_text().splitlines()] == []


def test_set_and_remove_give_the_file_back(file: Path) -> None:
    file.write_text(OLD)
    put("vast.new", 1)
    config.change(lambda document: config.remove(document, "vast.new"))
    assert file.read_text() == OLD


def test_a_file_with_crlf_and_dotted_keys_stays_so(file: Path) -> None:
    file.write_bytes(b'ui.currency = "USD"\r\n# end\r\n')
    put("ui.currency", "EUR")
    assert file.read_bytes() == b'ui.currency = "EUR"\r\n# end\r\n'


def test_removing_what_is_not_there_writes_nothing(file: Path) -> None:
    file.write_text(OLD)
    before = file.stat().st_ino
    config.change(lambda document: config.remove(document, "net.wait"))
    config.change(lambda document: config.remove(document, "mine.answer.deeper"))
    assert file.stat().st_ino == before


def test_a_new_file_is_private_and_has_a_version(home: Path) -> None:
    put("a.b.c", "x")
    assert tomllib.loads((home / "config.toml").read_text()) == {"version": 1, "a": {"b": {"c": "x"}}}
    assert (home / "config.toml").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_link_to_the_file_stays_a_link(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text(OLD)
    file.symlink_to(real)
    put("ui.currency", "EUR")
    assert file.is_symlink()
    assert tomllib.loads(real.read_text())["ui"]["currency"] == "EUR"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"version = 1\n[ui\ncurrency = 1\n", "line 2", id="syntax"),
        pytest.param(b"a = 1\nb = 2\nb = 3\n", "line 3", id="twice"),
        pytest.param(b"a = 1\nb = '\xff'\n", "line 2 is not UTF-8", id="not-utf8"),
    ],
)
def test_a_file_that_does_not_parse_is_reported_with_its_line_and_kept(file: Path, data: bytes, said: str) -> None:
    file.write_bytes(data)
    with pytest.raises(UsageError, match=said):
        config.load()
    with pytest.raises(UsageError, match=said):
        put("ui.currency", "EUR")
    assert file.read_bytes() == data


def test_a_value_where_a_table_belongs_is_not_overwritten(file: Path) -> None:
    file.write_text("ui = 3\n")
    with pytest.raises(Conflict, match="ui is a value there, not a table"):
        put("ui.currency", "EUR")
    assert file.read_text() == "ui = 3\n"


def test_a_file_of_a_newer_train_is_read_but_not_changed(file: Path) -> None:
    file.write_text('version = 2\n[ui]\ncurrency = "EUR"\n')
    assert config.config_value("ui.currency") == "EUR"
    with pytest.raises(Conflict, match="has version 2"):
        put("ui.currency", "USD")


def test_a_value_of_the_wrong_type_names_file_key_and_value(file: Path) -> None:
    file.write_text('[vast]\nauto_attach_ssh_key = "perhaps"\n')
    with pytest.raises(UsageError, match=r'config\.toml: vast\.auto_attach_ssh_key cannot be "perhaps"'):
        config.config_value("vast.auto_attach_ssh_key")


def test_unknown_keys_are_listed_after_the_known(file: Path) -> None:
    file.write_text(OLD)
    values = {value.name: value for value in config.every(config.load())}
    assert [name for name, value in values.items() if not value.known] == [
        "defaults.ssh_key_path", "ui.theme", "mine.answer", "mine.deep.er",
    ]  # fmt: skip
    assert values["mine.deep.er"].value == [1, 2]


def test_a_file_that_cannot_be_read_says_so(file: Path) -> None:
    file.mkdir()
    with pytest.raises(Conflict, match="cannot read") as caught:
        config.load()
    assert "set TRAINSH_HOME to a folder other than" in caught.value.hint


def test_forty_writers_at_once_lose_nothing(file: Path) -> None:
    file.write_text(OLD)

    def write(number: int) -> None:
        code = "import sys; from trainsh_base.system.configuration import config; n = sys.argv[1];"
        code += "config.change(lambda d: config.put(d, f'many.key{n}', int(n)))"
        subprocess.run([sys.executable, "-c", code, str(number)], check=True, timeout=60)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert tomllib.loads(file.read_text())["many"] == {f"key{number}": number for number in range(40)}
    assert file.read_text().startswith(OLD)
