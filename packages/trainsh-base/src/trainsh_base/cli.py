"""train-config: show and change the settings."""

import sys
from functools import partial
from typing import Annotated, Any

import msgspec

from trainsh_base.doctor.findings import findings
from trainsh_base.doctor.model import Finding
from trainsh_base.errors import Cancelled, NotFound
from trainsh_base.request import current
from trainsh_base.system.configuration import config, settings
from trainsh_base.system.configuration.config import Value
from trainsh_base.system.printable import printable
from trainsh_base.tool import display
from trainsh_base.tool.declare import Arg, Opt, Tool
from trainsh_base.tool.program import run

tool = Tool("config", "Show and change settings")


def as_text(value: Any) -> str:
    """Return a value in the form that `set` accepts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(as_text(item) for item in value)
    return "" if value is None else str(value)


def show_values(values: list[Value]) -> None:
    """Print one row for each setting. With --source, a row also has the setting's source, default and variable."""
    columns = {"name": "setting", "value": "value"}
    if any(value.source for value in values):
        columns |= {"source": "source", "default": "default", "env": "variable"}
    rows = [msgspec.structs.asdict(value) for value in values]
    display.table(
        [{**row, "value": as_text(row["value"]), "default": as_text(row["default"])} for row in rows], columns
    )


def show_value(held: Value) -> None:
    """Print the value without the setting's name; print nothing when the setting has no value."""
    if held.value is not None:
        print(as_text(held.value))


def show_change(value: Value) -> None:
    """Print `name = value`, and a warning when an environment variable overrides it."""
    print(f"{value.name} = {as_text(value.value)}")
    if value.source == "environment":
        current().emit("log", message=f"note: {value.env} is set and overrides config.toml")


def show_removed(values: list[Value]) -> None:
    """Print the value that each setting has now."""
    for value in values:
        print(f"{value.name} = {as_text(value.value)}")


@tool.command(show=show_values)
def show(source: Annotated[bool, Opt("also show where each value comes from")] = False) -> list[Value]:
    """Show every setting and its value.

    The last rows are keys of config.toml that no tool reads; train does not change them.
    """
    values = config.every(config.load())
    return values if source else [msgspec.structs.replace(value, source=None) for value in values]


@tool.command(show=show_value)
def get(name: Annotated[str, Arg("setting, such as recipe.timeout", kind="setting")]) -> Value:
    """Print the value of one setting."""
    document = config.load()
    held = config.flat(document)
    try:
        setting = settings.find(name)
    except NotFound:
        if name in held:
            return Value(name=name, value=held[name], source="file", known=False)
        raise
    return config.lookup(setting, document)


@tool.command(name="set", show=show_change, ensures=True)
def set_(
    name: Annotated[str, Arg("setting, such as recipe.timeout", kind="setting")],
    values: Annotated[
        list[str | int | float | bool],
        Arg("the value; for a list, one argument for each item", metavar="VALUE", also=("value",)),
    ],
) -> Value:
    """Change one setting in config.toml; comments, order and other keys stay."""
    setting = settings.find(name)
    held = settings.stored(setting, values)
    config.change(lambda document: config.put(document, name, held))
    return config.lookup(setting, config.load())


@tool.command(show=show_removed, ensures=True)
def reset(
    name: Annotated[str | None, Arg("the setting (default: all of them)", kind="setting")] = None,
    yes: Annotated[bool, Opt("do not ask", short="-y")] = False,
) -> list[Value]:
    """Set one setting, or all of them, back to the default.

    The setting's line in config.toml is removed; comments and keys that no tool reads stay. Prints what was reset.
    """
    document = config.load()
    known = [settings.find(name)] if name else list(settings.installed().values())[1:]  # the first is `version`
    held = config.flat(document)
    found = [setting for setting in known if setting.name in held]
    names = [setting.name for setting in found]
    if not names:
        return []
    if not yes:
        _confirm(names)
    config.change(partial(_remove_all, names))
    document = config.load()
    return [config.lookup(setting, document) for setting in found]


def show_findings(found: list[Finding]) -> None:
    """Print one line for each finding, and below a warning or a problem the line that says how to fix it."""
    width = max(len(each.name) for each in found)
    for each in found:
        colour = {"ok": "32", "warning": "33", "problem": "1;31"}[each.state]
        state = display.paint(f"{each.state:<7}", colour, sys.stdout)
        detail = display.folded(printable(each.detail, keep=""), width + 11)
        print(f"{state}  {each.name:<{width}}  {detail}")
        if each.fix:
            print(display.fix(printable(each.fix, keep=""), width + 11))


@tool.command(show=show_findings, status=lambda found: 1 if any(each.state == "problem" for each in found) else 0)
def doctor() -> list[Finding]:
    """Check that this machine has what train needs: train doctor

    Checks programs and their versions, folders, permissions, settings, the keyring and completions, and prints how
    to fix what is wrong. Nothing is changed. The exit status is 1 if there is a problem; a warning does not count.
    """
    return findings()


def _remove_all(names: list[str], document: Any) -> None:
    for name in names:
        config.remove(document, name)


def _confirm(names: list[str]) -> None:
    question = f"Reset {', '.join(names)}?"
    if current().ask("confirm", question, default="no", flag="--yes") != "yes":
        raise Cancelled("nothing was reset")


def main() -> None:
    """Run train-config."""
    run(tool)
