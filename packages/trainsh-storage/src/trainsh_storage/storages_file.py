"""Reads and changes the file storages.toml, which has the format of version 0.9.

It consists of `[[storages]]` tables, each with a table `[storages.config]`.
"""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

from trainsh_base.errors import Conflict, NotFound, UsageError
from trainsh_base.system.configuration import toml_file
from trainsh_base.system.paths import config_home
from trainsh_base.system.suggest import did_you_mean
from trainsh_storage.kinds import KINDS
from trainsh_storage.model import Storage

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def place() -> Path:
    """The path of storages.toml."""
    return config_home() / "storages.toml"


def load() -> list[Storage]:
    """The storages in the order of the file.

    Raises UsageError if the file is not TOML, or if a table does not have the right form.
    """
    return [as_storage(table, number) for number, table in enumerate(_tables(toml_file.load(place())), 1)]


def _tables(document: dict[str, Any]) -> list[dict[str, Any]]:
    tables = document.get("storages", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise _bad("storages is not a list of [[storages]] tables")
    return list(tables)


def as_storage(table: dict[str, Any], number: int) -> Storage:
    """A table as a Storage.

    Raises UsageError, which tells what is wrong with the table. The table is number `number` of the file.
    """
    config = table.get("config", {})
    if not isinstance(table.get("name"), str) or not isinstance(table.get("type"), str):
        raise _bad(f"storage {number} has no name or no type")
    if not isinstance(config, dict):
        raise _bad(f"the config of {table['name']} is not a table")
    return Storage(
        name=table["name"], kind=table["type"], config=dict(config), default=table.get("is_default") is True
    )


def _bad(why: str) -> UsageError:
    return UsageError(f"{place()}: {why}", "correct it in an editor; the file was not changed", code="bad_storages")


def get(name: str) -> Storage:
    """The storage called `name`. If there is none, raise NotFound with the most similar name as a hint."""
    storages = load()
    for storage in storages:
        if storage.name == name:
            if storage.kind not in KINDS:
                raise _bad(f"{name} is of an unknown kind {storage.kind!r}")
            return storage
    hint = did_you_mean(name, [storage.name for storage in storages], "see: train storage list")
    raise NotFound(f"there is no storage {name!r}", hint, code="no_storage")


def check_name(name: str) -> str:
    """Return `name` if recipes can use it as @name, else raise UsageError."""
    if not _NAME.fullmatch(name):
        hint = "use letters, digits, _ and -, beginning with a letter"
        raise UsageError(f"not a name for a storage: {name!r}", hint, code="bad_name")
    if name == "placeholder":
        raise UsageError("placeholder is a reserved word in recipes", "choose another name", code="bad_name")
    return name


def check_new(name: str) -> None:
    """Raise Conflict when the name is taken."""
    _check_new(toml_file.load(place()), name)


def _check_new(document: Any, name: str) -> None:
    if any(table.get("name") == name for table in _tables(document)):
        raise Conflict(
            f"there is a storage {name!r} already",
            f"train storage edit {name} KEY=VALUE",
            code="exists",
        )


def add(storage: Storage) -> None:
    """Append a new storage to the file. Raises Conflict when the name is taken."""

    def edit(document: Any) -> None:
        import tomlkit

        _check_new(document, storage.name)
        if storage.default:
            _no_default(document)
        table = tomlkit.table()
        table.update({
            "id": str(uuid4()), "name": storage.name, "type": storage.kind, "is_default": storage.default,
        })  # fmt: skip
        config = tomlkit.table()
        config.update(storage.config)
        table["config"] = config
        if not _tables(document):  # `storages = []`, to which no table can be appended
            document.pop("storages", None)
        document.setdefault("storages", tomlkit.aot()).append(table)

    toml_file.change(place(), edit)


def change(name: str, values: dict[str, str], unset: list[str], default: bool | None) -> Storage:
    """In a storage's config, set the keys in `values` and remove the keys in `unset`. Other keys are kept.

    Raises NotFound if there is no storage of this name.
    """
    get(name)

    def edit(document: Any) -> None:
        if default:
            _no_default(document)
        table = _table(document, name)
        config = table.setdefault("config", {})
        config.update(values)
        for key in unset:
            config.pop(key, None)
        if default is not None:
            table["is_default"] = default

    toml_file.change(place(), edit)
    return get(name)


def remove(name: str) -> None:
    """Remove a storage from the file. Raises NotFound when there is no storage of that name."""
    get(name)

    def edit(document: Any) -> None:
        document["storages"].remove(_table(document, name))
        if not document["storages"]:
            del document["storages"]

    toml_file.change(place(), edit)


def _table(document: Any, name: str) -> Any:
    return next(table for table in document["storages"] if table.get("name") == name)


def _no_default(document: Any) -> None:
    for table in _tables(document):
        if table.get("is_default"):
            table["is_default"] = False
