"""train-secrets: store and fetch credentials."""

import sys
from typing import Annotated, Literal

from trainsh_base.errors import Cancelled, UsageError
from trainsh_base.request import current
from trainsh_base.system.secret import Secret
from trainsh_base.tool import display
from trainsh_base.tool.declare import Arg, Handover, Opt, Tool
from trainsh_base.tool.program import run as run_tool
from trainsh_secrets import agent, lookup, names, source
from trainsh_secrets.envfile import parse
from trainsh_secrets.model import Changed, Found, Listed, Locked, Revealed

tool = Tool("secrets", "Store and fetch credentials")

Name = Annotated[str, Arg("the secret, such as HF_TOKEN", kind="secret")]
To = Annotated[
    Literal["keyring", "file"] | None,
    Opt("where to store it (default: the keyring if there is one, else the encrypted file)"),
]


def show_list(rows: list[Listed]) -> None:
    """Print one row for each name. It tells whether the secret is set, and where."""
    words = {True: "yes", False: "no", None: "unknown"}
    display.table(
        [{"name": row.name, "set": words[row.set], "where": row.source or "", "what for": row.help} for row in rows]
    )


def show_found(found: Found) -> None:
    """Print only the value. On a terminal, print a mask instead, unless --reveal was given."""
    if sys.stdout.isatty() and not isinstance(found, Revealed):
        print(Secret(found.value))
        current().emit("log", message=f"{found.name} is in the {found.source}; --reveal shows it")
    else:
        display.exact(f"{found.value}\n")


def show_stored(changed: list[Changed]) -> None:
    """Print one line for each stored secret."""
    for one in changed:
        print(f"{one.name} stored in the {one.source}")


def show_deleted(changed: list[Changed]) -> None:
    """Print one line for each store from which the secret was deleted."""
    for one in changed:
        print(f"{one.name} deleted from the {one.source}")


@tool.command(name="list", show=show_list)
def list_() -> list[Listed]:
    """List the secrets that train knows and your own ones: whether each is set, and where; never a value."""
    return lookup.every()


@tool.command(name="set", show=show_stored, ensures=True)
def set_(
    name: Name,
    to: To = None,
    from_file: Annotated[
        str | None, Opt("read the value from this file, - for standard input", metavar="FILE", kind="file")
    ] = None,
) -> list[Changed]:
    """Store a secret. The value is asked for, or read from standard input or a file.

    The value cannot be given as an argument: other users of the machine could see it, and the shell would save it
    in its history.
    """
    names.check(name)
    return lookup.store({name: source.value_of(name, from_file)}, to)


@tool.command(show=show_found)
def get(name: Name, reveal: Annotated[bool, Opt("show the value on a terminal too")] = False) -> Found:
    """Print a secret: the plain value into a pipe, a mask on a terminal.

    The secret is looked up in the environment, the keyring, the command in secrets.helper, and the encrypted file.
    """
    found = lookup.find(name)
    return Revealed(name=found.name, value=found.value, source=found.source) if reveal else found


@tool.command(show=show_deleted)
def delete(name: Name, yes: Annotated[bool, Opt("do not ask", short="-y")] = False) -> list[Changed]:
    """Delete a secret from the keyring and the encrypted file."""
    names.check(name)
    lookup.must_be_stored(name)
    if not yes and current().ask("confirm", f"Delete {name}?", default="no", flag="--yes") != "yes":
        raise Cancelled("nothing was deleted")
    return lookup.delete(name)


@tool.command(name="import", show=show_stored, ensures=True)
def import_(
    file: Annotated[str, Arg("a .env file with NAME=value lines, - for standard input", kind="file")],
    to: To = None,
    only: Annotated[list[str], Opt("import only this name (repeatable)", metavar="NAME", kind="secret")] = [],  # noqa: B006
    overwrite: Annotated[bool, Opt("replace secrets that are already stored")] = False,
) -> list[Changed]:
    """Store every secret of a .env file.

    Variables in values are not expanded. If a line is not NAME=value, the command fails and nothing is imported.
    """
    values = parse(source.read_text(file), "standard input" if file == "-" else file)
    absent = [name for name in only if name not in values]
    if absent:
        raise UsageError(f"{file} has no {', '.join(absent)}; nothing was imported", code="bad_input")
    values = {name: value for name, value in values.items() if not only or name in only}
    if not overwrite:
        _confirm_overwrite([name for name in values if lookup.stored_in(name)])
    return lookup.store(values, to) if values else []


def _confirm_overwrite(stored: list[str]) -> None:
    question = f"Overwrite {', '.join(stored)}?"
    if stored and current().ask("confirm", question, default="no", flag="--overwrite") != "yes":
        raise Cancelled("nothing was imported")


@tool.command()
def run(
    command: Annotated[list[str], Arg("the command and its arguments, after --", metavar="CMD")],
    name: Annotated[
        list[str],
        Opt("pass this secret; VAR=NAME passes it in the variable VAR (repeatable)", metavar="NAME", kind="secret"),
    ] = [],  # noqa: B006
    all_: Annotated[bool, Opt("pass every secret that is set and whose name can be a variable's name")] = False,
) -> Handover:
    """Run a command with secrets in its environment: train secrets run --name HF_TOKEN -- CMD.

    The command replaces this program, so output, exit status and signals are those of the command.
    """
    wanted = _wanted(name, all_)
    found = {variable: Secret(lookup.find(secret).value) for variable, secret in wanted.items()}
    return Handover(argv=command, env={names.PASSPHRASE: None, **found})


def show_locked(ended: Locked) -> None:
    """Print whether the agent had a key. The agent has forgotten it now."""
    print("locked: the passphrase will be asked for again" if ended.keys else "nothing was unlocked")


@tool.command(show=show_locked, ensures=True)
def lock() -> Locked:
    """Lock the encrypted file now, so that its passphrase is asked for again: train secrets lock

    After the passphrase was typed, an agent keeps the opened key in memory for secrets.agent_time after its last
    use (train config set secrets.agent_time 10m, or off). The key is in no file, argument or environment variable.
    """
    return Locked(keys=agent.forget())


def _wanted(given: list[str], everything: bool) -> dict[str, str]:
    """Return the variables to set, and the name of the secret for each: variable -> secret."""
    if not given and not everything:
        raise UsageError(
            "no secret was chosen for the command", "name each secret with --name, or pass --all", code="usage"
        )
    wanted = {}
    if everything:
        wanted = {row.name: row.name for row in lookup.every() if row.set and names.is_variable(row.name)}
    for word in given:
        variable, _, secret = word.rpartition("=")
        if not names.is_variable(variable or secret):
            raise UsageError(
                f"{variable or secret} cannot be an environment variable",
                f"--name VARIABLE={secret}",
                code="bad_name",
            )
        wanted[variable or secret] = names.check(secret)
    return wanted


def main() -> None:
    """Run train-secrets."""
    run_tool(tool)
