"""Reads and changes config.toml, and finds the value of a setting. A change keeps the rest of the file."""

import os
from collections.abc import Callable
from typing import Any

import msgspec

from trainsh_base.errors import Conflict
from trainsh_base.system.configuration import toml_file
from trainsh_base.system.configuration.settings import FORMAT, Setting, find, from_environment, installed, meaning
from trainsh_base.system.paths import config_file, config_folder


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A setting and its current value, as a person writes it. `source` is default, file or environment.

    `known` is false for a key of the file that no tool reads. Such a key is kept, but `train config set` cannot
    change it.
    """

    name: str
    value: Any
    source: str | None = None
    default: Any = None
    env: str = ""
    help: str = ""
    known: bool = True


def config_value(name: str) -> Any:
    """Return the value of a setting.

    It comes from its environment variable, else from config.toml, else it is the default. A duration is in seconds
    and a size in bytes. A text setting without a value is None. Raises UsageError if the value has the wrong type,
    or if the file does not parse.
    """
    setting = find(name)
    value = lookup(setting, load())
    where = {"file": _place(), "environment": value.env}.get(value.source or "", "")
    return meaning(setting, value.value, where)


def load() -> dict[str, Any]:
    """Return config.toml as nested dicts, or {} if there is no file.

    Raises UsageError, which names the bad line, when the file does not parse.
    """
    return toml_file.load(_place())


def _place() -> str:
    """Return the path of config.toml as text, so that pathlib need not be loaded to read a setting."""
    return f"{config_folder()}/config.toml"


def lookup(setting: Setting, document: dict[str, Any]) -> Value:
    """Return the current value of `setting`. `document` is the parsed config.toml."""
    about = {"name": setting.name, "default": setting.default, "env": setting.env, "help": setting.help}
    text = os.environ.get(setting.env) if setting.env else None
    if text:
        return Value(value=from_environment(setting, text), source="environment", **about)
    held = flat(document).get(setting.name)
    if held is not None:
        return Value(value=held, source="file", **about)
    return Value(value=setting.default, source="default", **about)


def every(document: dict[str, Any]) -> list[Value]:
    """Return the settings of all installed tools, followed by the unknown keys of the file."""
    known = installed()
    values = [lookup(setting, document) for setting in known.values()]
    others = {name: value for name, value in flat(document).items() if name not in known}
    return values + [Value(name=name, value=value, source="file", known=False) for name, value in others.items()]


def flat(document: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Flatten nested tables to one dict with dotted names."""
    names: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict) and value:
            names |= flat(value, f"{above}{key}.")
        else:
            names[above + key] = value
    return names


def change(edit: Callable[[Any], None]) -> None:
    """Apply `edit` to config.toml as a tomlkit document, so that comments, order and unknown keys are kept.

    The change is atomic and made under a lock. A file is not changed if it does not parse, or if a newer train
    wrote it.
    """
    toml_file.change(config_file(), edit, empty=f"version = {FORMAT}\n", check=_refuse_newer)


def _refuse_newer(document: dict[str, Any]) -> None:
    version = document.get("version", FORMAT)
    if version != FORMAT:
        raise Conflict(
            f"{config_file()} has version {version}, this train writes version {FORMAT}",
            "update train",
            code="newer_config",
        )


def put(document: Any, name: str, value: Any) -> None:
    """Set the dotted `name` in a tomlkit document. Missing tables are created."""
    import tomlkit

    *tables, key = name.split(".")
    at = document
    for table in tables:
        if table not in at:
            at[table] = tomlkit.table()
        at = at[table]
        if not isinstance(at, dict):
            raise Conflict(f"{config_file()}: {table} is a value there, not a table, so {name} cannot be set")
    at[key] = value


def remove(document: Any, name: str) -> None:
    """Remove the dotted `name` from a tomlkit document, if it is there. A table that becomes empty stays."""
    *tables, key = name.split(".")
    at = document
    for table in tables:
        at = at.get(table)
        if not isinstance(at, dict):
            return
    at.pop(key, None)
