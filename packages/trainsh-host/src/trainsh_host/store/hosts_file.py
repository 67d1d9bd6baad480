"""Reads the hosts of the file hosts.toml. Changes one host without changing any other byte of the file."""

import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from trainsh_base.errors import Conflict, NotFound, UsageError, unreadable
from trainsh_base.system.files import locked, write_atomic
from trainsh_base.system.paths import config_home
from trainsh_base.system.suggest import did_you_mean
from trainsh_host.model import Host
from trainsh_host.store.toml_tables import Table, append, cut, find_tables, replace

Raw = dict[str, Any]


def hosts_path() -> Path:
    """The path of hosts.toml."""
    return config_home() / "hosts.toml"


def read_text(path: Path) -> str:
    """The text of the file with its line ends and without a byte order mark.

    The text is empty when the file does not exist.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: {error}", code="bad_file") from None
    except OSError as error:
        raise unreadable(path, error, folder=path.parent) from None


def parse(text: str, path: Path) -> list[Raw]:
    """The tables of the file as dicts.

    Raises UsageError with the number of the line that cannot be parsed. Such a file is never overwritten.
    """
    try:
        found = tomllib.loads(text).get("hosts", [])
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{path} does not parse: {error}", "fix it in an editor; nothing was changed", code="bad_file"
        ) from None
    if not isinstance(found, list) or not all(isinstance(raw, dict) for raw in found):
        raise UsageError(f"{path}: hosts are written as [[hosts]] tables", code="bad_file")
    return found


def load_raw() -> list[Raw]:
    """Every table of the file, unchanged."""
    path = hosts_path()
    return parse(read_text(path), path)


def as_host(raw: Raw) -> Host:
    """The host in one table. Raises UsageError with the name of a key that is invalid."""
    name = raw.get("name", "?")
    known = {key: value for key, value in raw.items() if value is not None}
    try:
        return msgspec.convert(known, Host)
    except msgspec.ValidationError as error:
        from trainsh_base.tool.type_errors import in_words  # noqa: PLC0415 - only an error needs it

        raise UsageError(
            f"{hosts_path()}: host {name!r}: {in_words(str(error), object_='a table')}",
            f"fix it: train host edit {shlex.quote(str(name))}",
            code="bad_host",
        ) from None


def names(raws: list[Raw]) -> list[str]:
    """The names of the hosts."""
    return [str(raw.get("name", "")) for raw in raws]


def find_raw(name: str, raws: list[Raw] | None = None) -> Raw | None:
    """The table of the host `name`, or None when there is no such host."""
    return next((raw for raw in (load_raw() if raws is None else raws) if raw.get("name") == name), None)


def get_raw(name: str) -> Raw:
    """The table of the host `name`.

    If there is no such host, raise NotFound with the most similar name as a hint.
    """
    raws = load_raw()
    raw = find_raw(name, raws)
    if raw is None:
        raise unknown(name, raws)
    return raw


def unknown(name: str, raws: list[Raw]) -> NotFound:
    """The NotFound error for a name that is not configured."""
    return NotFound(
        f"there is no host {name!r}", did_you_mean(name, names(raws), "see: train host list, train host add"),
        code="no_host", data={"name": name},
    )  # fmt: skip


def check_new(name: str, raws: list[Raw] | None = None) -> None:
    """Raise Conflict when the name is taken."""
    if find_raw(name, raws) is not None:
        raise Conflict(
            f"there is a host {name!r} already", f"change it: train host edit {name}", code="host_exists"
        )  # fmt: skip


def add(values: Raw) -> None:
    """Add a host. Raises Conflict when its name is taken."""

    def change(text: str, raws: list[Raw]) -> tuple[str, list[Raw]]:
        check_new(values["name"], raws)
        return append(text, "[[hosts]]\n" + _lines(values)), [*raws, values]

    _change(change)


def update(name: str, values: Raw, unset: list[str]) -> None:
    """In the table of the host `name`, set the keys in `values` and remove the keys in `unset`.

    Comments and other keys of the table are kept.
    """

    def change(text: str, raws: list[Raw]) -> tuple[str, list[Raw]]:
        index = _index(name, raws)
        taken = values.get("name", name)
        if taken != name and find_raw(taken, raws) is not None:
            raise Conflict(f"there is a host {taken!r} already", code="host_exists")
        after = {key: value for key, value in (raws[index] | values).items() if key not in unset}
        at = _table(text, raws, index)
        table = _edited(text[at.start : at.end], values, unset)
        return replace(text, at, table), [*raws[:index], after, *raws[index + 1 :]]

    _change(change)


def swap(name: str, before: str, table: str) -> None:
    """Replace the whole table of the host `name` by the text `table`.

    Raises Conflict if the present text of the table is no longer `before`.
    """

    def change(text: str, raws: list[Raw]) -> tuple[str, list[Raw]]:
        index = _index(name, raws)
        at = _table(text, raws, index)
        if text[at.start : at.end] != before:
            raise Conflict(
                f"host {name!r} was changed by another process meanwhile", "edit it again", code="changed_meanwhile"
            )
        fresh = parse(table, Path("the edited text"))
        if len(fresh) != 1:
            raise UsageError(f"the edited text holds {len(fresh)} [[hosts]] tables, not one", code="bad_file")
        as_host(fresh[0])
        if fresh[0].get("name") != name and find_raw(str(fresh[0].get("name")), raws) is not None:
            raise Conflict(f"there is a host {fresh[0].get('name')!r} already", code="host_exists")
        return replace(text, at, table), [*raws[:index], fresh[0], *raws[index + 1 :]]

    _change(change)


def table_text(name: str) -> str:
    """The text of the host's table."""
    path = hosts_path()
    text = read_text(path)
    raws = parse(text, path)
    at = _table(text, raws, _index(name, raws))
    return text[at.start : at.end]


def remove(name: str) -> None:
    """Remove the host `name`. Raises NotFound when there is no such host."""

    def change(text: str, raws: list[Raw]) -> tuple[str, list[Raw]]:
        index = _index(name, raws)
        return cut(text, _table(text, raws, index)), raws[:index] + raws[index + 1 :]

    _change(change)


def _change(change: Callable[[str, list[Raw]], tuple[str, list[Raw]]]) -> None:
    """Change the file while its lock is held.

    The file is written only if the new text parses to the intended tables, and no other table has changed.
    """
    path = hosts_path()
    with locked(path):
        text = read_text(path)
        raws = parse(text, path)
        changed, expected = change(text, raws)
        if not _reads_as(changed, {**tomllib.loads(text), "hosts": expected}):
            raise UsageError(
                f"{path} is written in a form that train cannot change safely", "edit it by hand", code="bad_file"
            )
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        write_atomic(path, changed.encode(), mode)


def _reads_as(text: str, expected: dict[str, Any]) -> bool:
    try:
        return {"hosts": [], **tomllib.loads(text)} == expected
    except tomllib.TOMLDecodeError:
        return False


def _index(name: str, raws: list[Raw]) -> int:
    for index, raw in enumerate(raws):
        if raw.get("name") == name:
            return index
    raise unknown(name, raws)


def _table(text: str, raws: list[Raw], index: int) -> Table:
    tables = find_tables(text)
    if len(tables) != len(raws):
        raise UsageError(
            f"{hosts_path()}: not all hosts are written as [[hosts]] tables, so train cannot change a single one",
            "edit the file by hand", code="bad_file",
        )  # fmt: skip
    return tables[index]


def _edited(table: str, values: Raw, unset: list[str]) -> str:
    import tomlkit

    document = tomlkit.parse(table)
    host = document["hosts"][0]
    for key in unset:
        host.pop(key, None)
    for key, value in values.items():
        host[key] = value
    text = tomlkit.dumps(document)
    if "\r\n" in table:
        return text.replace("\r\n", "\n").replace("\n", "\r\n")
    return text


def _lines(values: Raw) -> str:
    return "".join(f"{key} = {_value(value)}\n" for key, value in values.items() if not isinstance(value, dict)) + (
        "".join(
            f"\n[hosts.{key}]\n" + _lines({_key(name): item for name, item in value.items()})
            for key, value in values.items()
            if isinstance(value, dict)
        )
    )


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    """A value as TOML.

    The value is written as JSON, because JSON and TOML write strings, numbers and booleans in the same way. Only
    the character DEL is different.
    """
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007F")
