"""The settings of config.toml: every key that is read, with its type, default and environment variable."""

from collections.abc import Sequence
from typing import Any

import msgspec

from trainsh_base.errors import UsageError
from trainsh_base.system.suggest import did_you_mean
from trainsh_base.system.units import parse_duration, parse_size

FORMAT = 1
YES, NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One key: `kind` is text, flag, number, duration, size or list; `default` is as a person writes it."""

    name: str
    kind: str
    default: Any
    help: str
    choices: tuple[str, ...] = ()

    @property
    def env(self) -> str:
        """The variable that overrides the file: `recipe.timeout` has TRAINSH_RECIPE_TIMEOUT, version has none."""
        return "" if self.name == "version" else "TRAINSH_" + self.name.upper().replace(".", "_")


def _table(*rows: tuple[Any, ...]) -> dict[str, Setting]:
    settings = [
        Setting(name=name, kind=kind, default=default, help=text, choices=choices[0] if choices else ())
        for name, kind, default, text, *choices in rows
    ]
    return {setting.name: setting for setting in settings}


SETTINGS = _table(
    ("version", "number", FORMAT, "format of this file", (str(FORMAT),)),
    ("defaults.ssh_key_path", "text", None, "private key for hosts that name none of their own"),
    ("secrets.helper", "text", None, "command that prints a secret, such as pass show train/{name}"),
    ("secrets.file", "text", None, "encrypted file for secrets (default: secrets.age beside config.toml)"),
    ("notify.targets", "list", [], "where notify sends to: Apprise URLs"),
    ("tmux.log_limit", "size", "256M", "bytes of output kept of one session on its host"),
    ("recipe.timeout", "duration", "10m", "time a foreground command may take where the step says nothing"),
    ("recipe.wait_timeout", "duration", "5m", "time a wait may take where the step says nothing"),
    ("ssh.connect_timeout", "duration", "15s", "time to reach a host"),
    ("ssh.persist", "duration", "10m", "how long an unused connection to a host is kept"),
    ("ssh.ciphers_gcm", "flag", True, "prefer AES-GCM, the fastest, where your ssh settings choose no ciphers"),
)


def find(name: str) -> Setting:
    """The setting called `name`; UsageError with the nearest name when there is none."""
    if name not in SETTINGS:
        raise UsageError(
            f"there is no setting {name!r}",
            did_you_mean(name, SETTINGS, "see: train config show"),
            code="no_setting",
        )
    return SETTINGS[name]


def stored(setting: Setting, words: Sequence[str | int | float | bool]) -> Any:
    """What config.toml holds for the words a person wrote; UsageError when they are not of the setting's type."""
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
    elif setting.kind == "number" or (setting.kind in ("size", "duration") and text.isdigit()):
        value = _number(setting, text)
    meaning(setting, value)
    return value


def meaning(setting: Setting, value: Any, where: str = "") -> Any:
    """The value as code uses it: seconds, bytes, bool, int, text or list; UsageError (saying `where`) otherwise."""
    if value is None:
        return None
    wanted: dict[str, tuple[type, ...]] = {
        "text": (str,), "flag": (bool,), "number": (int,), "list": (list,), "duration": (int, float, str),
        "size": (int, str),
    }  # fmt: skip
    right = isinstance(value, wanted[setting.kind]) and (setting.kind == "flag" or not isinstance(value, bool))
    if setting.kind == "list":
        right = right and all(isinstance(item, str) for item in value)
    if not right:
        raise _wrong(setting, value, where)
    if setting.choices and str(value) not in setting.choices:
        raise _wrong(setting, value, where)
    if setting.kind in ("duration", "size"):
        try:
            return parse_duration(value) if setting.kind == "duration" else parse_size(value)
        except UsageError:
            raise _wrong(setting, value, where) from None
    if setting.kind == "number" and value < 0:
        raise _wrong(setting, value, where)
    return value


def from_environment(setting: Setting, text: str) -> Any:
    """What the setting's environment variable holds, as config.toml would; a list is split at blanks."""
    try:
        return stored(setting, text.split() if setting.kind == "list" else [text])
    except UsageError:
        raise _wrong(setting, text, setting.env) from None


def _flag(setting: Setting, text: str) -> bool:
    if text.lower() in (*YES, *NO):
        return text.lower() in YES
    raise _wrong(setting, text, "")


def _number(setting: Setting, text: str) -> int:
    try:
        return int(text)
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
    """The setting's type in words: `one of a, b`, `true or false`, `a duration such as 90s or 10m`."""
    if setting.choices:
        return (
            "one of " + ", ".join(setting.choices) if len(setting.choices) > 1 else f"always {setting.choices[0]}"
        )
    return {
        "text": "text",
        "flag": "true or false",
        "number": "a whole number from 0",
        "duration": "a duration such as 90s or 10m",
        "size": "a size such as 512k or 16M",
        "list": "a list of texts",
    }[setting.kind]


def markdown() -> str:
    """The table of docs/configuration.md."""
    lines = ["| Key | Type | Default | Variable | What it is |", "|---|---|---|---|---|"]
    for setting in SETTINGS.values():
        default = "none" if setting.default in (None, []) else _shown(setting.default)
        env = f"`{setting.env}`" if setting.env else ""
        lines.append(f"| `{setting.name}` | {wording(setting)} | {default} | {env} | {setting.help} |")
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    print(markdown(), end="")
