"""Reads the settings of config.toml.

Each tool declares the keys that it reads, with their type, default and meaning. A tool's package contains one file
`share/trainsh/settings/TABLE` for each of its tables in config.toml. Each line of the file is a setting: name,
kind, default and help, separated by tabs. Kind is text, flag, number, duration, duration-or-off, size, money, list,
or the allowed words, such as `USD|EUR`. A line that begins with # is a comment.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.configuration import share
from trainsh_base.system.suggest import did_you_mean
from trainsh_base.system.units import parse_duration, parse_size, parse_truth

FORMAT = 1
KINDS = ("text", "flag", "number", "duration", "duration-or-off", "size", "money", "list")


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One key of config.toml. `kind` is one of KINDS. `default` is written as a person would write it."""

    name: str
    kind: str
    default: Any
    help: str
    choices: tuple[str, ...] = ()

    @property
    def env(self) -> str:
        """The variable that overrides the file, such as TRAINSH_RECIPE_TIMEOUT.

        It is empty for the key `version`.
        """
        return "" if self.name == "version" else "TRAINSH_" + self.name.upper().replace(".", "_")


VERSION = Setting(name="version", kind="number", default=FORMAT, help="format of this file", choices=(str(FORMAT),))
_tables: dict[str, dict[str, Setting]] = {}


def find(name: str) -> Setting:
    """Return the setting called `name`.

    Raises NotFound, with a similar name in its hint, if no tool declares `name`. This program's own installation is
    searched first, because only one small file must be read for that. Then the tools on PATH are searched.
    """
    table = name.partition(".")[0]
    known = {"version": VERSION} if name == "version" else _own_table(table)
    if name not in known:
        known = installed()
    if name not in known:
        raise NotFound(
            f"there is no setting {name!r}",
            did_you_mean(name, known, "see: train config show"),
            code="no_setting",
        )
    return known[name]


def installed() -> dict[str, Setting]:
    """Return the settings of every tool that can be found.

    If two tools declare the same table, the first tool's is used.
    """
    tables: dict[str, dict[str, Setting]] = {}
    for folder in share.every_folder():
        for table in share.names(folder, "settings"):
            tables.setdefault(table, parse(share.read(folder, "settings", table) or "", table))
    return {"version": VERSION} | {
        name: setting for _, rows in sorted(tables.items()) for name, setting in rows.items()
    }


def _own_table(table: str) -> dict[str, Setting]:
    if table not in _tables:
        texts = (share.read(folder, "settings", table) for folder in share.own_folders())
        _tables[table] = parse(next((text for text in texts if text is not None), ""), table)
    return _tables[table]


def parse(text: str, table: str) -> dict[str, Setting]:
    """Parse the text of a file `settings/TABLE`. Lines with errors are skipped."""
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    settings = [_setting(*row) for row in rows if len(row) == 4 and row[0].startswith(f"{table}.")]
    return {setting.name: setting for setting in settings if setting}


def _setting(name: str, kind: str, default: str, text: str) -> Setting | None:
    choices = tuple(kind.split("|")) if "|" in kind else ()
    kind = "text" if choices else kind
    if kind not in KINDS:
        return None
    bare = Setting(name=name, kind=kind, default=None, help=text, choices=choices)
    try:
        value = (
            stored(bare, default.split() if kind == "list" else [default]) if default or kind == "list" else None
        )
    except UsageError:
        return None
    return msgspec.structs.replace(bare, default=value)


def stored(setting: Setting, words: Sequence[str | int | float | bool]) -> Any:
    """Convert the words that a person typed to a value for config.toml.

    Raises UsageError if the words do not fit the setting's type.
    """
    if setting.kind == "list":
        return [str(word) for word in words]
    if len(words) != 1:
        raise UsageError(f"{setting.name} takes one value, got {len(words)}", code="bad_setting")
    word = words[0]
    text = str(word).lower() if isinstance(word, bool) else str(word).strip()
    value: Any = text
    if setting.kind == "text":
        value = next((choice for choice in setting.choices if choice.casefold() == text.casefold()), text)
    elif setting.kind == "flag":
        value = _flag(setting, text)
    elif setting.kind == "number" or (setting.kind in ("size", "duration", "duration-or-off") and text.isdigit()):
        value = _number(setting, text)
    elif setting.kind == "money":
        value = _amount(setting, text)
    meaning(setting, value)
    return value


def meaning(setting: Setting, value: Any, where: str = "") -> Any:
    """Convert a value as the setting's kind requires: to seconds (or `off`), bytes, bool, int, float, text or list.

    Raises UsageError for a wrong value. Its message contains `where`, the file or variable that has the value.
    """
    if value is None:
        return None
    wanted: dict[str, tuple[type, ...]] = {
        "text": (str,), "flag": (bool,), "number": (int,), "list": (list,), "duration": (int, float, str),
        "duration-or-off": (int, float, str), "size": (int, str), "money": (int, float),
    }  # fmt: skip
    right = isinstance(value, wanted[setting.kind]) and (setting.kind == "flag" or not isinstance(value, bool))
    if setting.kind == "list":
        right = right and all(isinstance(item, str) for item in value)
    if not right:
        raise _wrong(setting, value, where)
    if setting.choices and str(value) not in setting.choices:
        raise _wrong(setting, value, where)
    if setting.kind == "duration-or-off" and value == "off":
        return value
    if setting.kind in ("duration", "duration-or-off", "size"):
        try:
            return parse_size(value) if setting.kind == "size" else parse_duration(value)
        except UsageError:
            raise _wrong(setting, value, where) from None
    if (setting.kind == "number" and value < 0) or (setting.kind == "money" and not 0 < value < float("inf")):
        raise _wrong(setting, value, where)
    return value


def from_environment(setting: Setting, text: str) -> Any:
    """Convert the text of the setting's environment variable to a value for config.toml.

    A list is split at blanks.
    """
    try:
        return stored(setting, text.split() if setting.kind == "list" else [text])
    except UsageError:
        raise _wrong(setting, text, setting.env) from None


def _flag(setting: Setting, text: str) -> bool:
    try:
        return parse_truth(text)
    except UsageError:
        raise _wrong(setting, text, "") from None


def _number(setting: Setting, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _wrong(setting, text, "") from None


def _amount(setting: Setting, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise _wrong(setting, text, "") from None


def _wrong(setting: Setting, value: Any, where: str) -> UsageError:
    shown = f'"{value}"' if isinstance(value, str) else value
    place = f"{where}: " if where else ""
    return UsageError(
        f"{place}{setting.name} cannot be {shown}", f"it is {wording(setting)}", code="bad_setting",
        data={"name": setting.name},
    )  # fmt: skip


def wording(setting: Setting) -> str:
    """Describe the setting's type, for example `one of a, b`, `true or false` or `a duration such as 90s or
    10m`.
    """
    if setting.choices:
        return (
            "one of " + ", ".join(setting.choices) if len(setting.choices) > 1 else f"always {setting.choices[0]}"
        )
    return {
        "text": "text",
        "flag": "true or false",
        "number": "a whole number from 0",
        "duration": "a duration such as 90s or 10m",
        "duration-or-off": "a duration such as 30m, or off",
        "size": "a size such as 512k or 16M",
        "money": "an amount such as 5 or 2.50",
        "list": "a list of texts",
    }[setting.kind]


def markdown() -> str:
    """Return the table of docs/configuration.md."""
    lines = ["| Key | Type | Default | Variable | What it is |", "|---|---|---|---|---|"]
    for setting in installed().values():
        default = "none" if setting.default in (None, []) else _shown(setting.default)
        env = f"`{setting.env}`" if setting.env else ""
        lines.append(f"| `{setting.name}` | {wording(setting)} | {default} | {env} | {setting.help} |")
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    print(markdown(), end="")
