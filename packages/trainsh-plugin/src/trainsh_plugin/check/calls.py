"""The checks that rent nothing. They check the tool's schema, its help, its errors, and how it ends."""

import json
import os
import time
from collections.abc import Callable
from typing import Any

from trainsh_plugin.check.subject import CANARY, Subject
from trainsh_plugin.check.verdict import LeftOut, need

NONE = "no-such-thing-0"
OWED = ("list", "resolve", "stop")
SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD")
SHORTEST = 8  # characters; any text may contain a shorter secret by chance
NOT_FOUND = 3
STATUSES = (*range(1, 10), 70, 130)


def described(subject: Subject) -> str:
    """Check that `schema` prints one JSON document with the commands and their parameters."""
    need(isinstance(subject.described, dict), f"train-{subject.name} schema does not print a JSON object")
    need(
        subject.described.get("name") == subject.name,
        f"the name in its schema is {subject.described.get('name')!r}",
    )
    need(subject.commands, "it has no commands")
    for name, entry in subject.commands.items():
        params = entry.get("params")
        need(isinstance(params, dict) and isinstance(params.get("properties", {}), dict), f"{name}: no params")
        unknown = set(params.get("required", [])) - set(params.get("properties", {}))
        need(not unknown, f"{name}: required parameters without a description: {', '.join(sorted(unknown))}")
    if subject.provides:
        lacking = [name for name in (*OWED, subject.pick) if name not in subject.commands]
        need(not lacking, f"a provider of hosts has {', '.join(lacking)} too")
        need(subject.commands[subject.pick].get("fills"), f'{subject.pick} lacks "fills"')
        need(subject.commands[subject.pick].get("rents"), f'{subject.pick} lacks "rents"')
        need(subject.commands["stop"].get("releases"), 'stop lacks "releases"')
    return f"{len(subject.commands)} commands"


def for_people(subject: Subject) -> str:
    """Check that `--help` and `--version` print something and exit with 0."""
    for word in ("--help", "--version"):
        done = subject.run(word)
        need(done.status == 0 and done.stdout.strip(), f"{word}: status {done.status}, {len(done.stdout)} bytes")
    return subject.run("--version").text().splitlines()[0]


def both_faces(subject: Subject) -> str:
    """Check that a request to `serve` gives the same answer as a call in a process of its own."""
    if not subject.serves:
        raise LeftOut("it does not serve")
    need(subject.peer().request("schema", timeout=20) == subject.described, "two schemas")
    if "list" in subject.commands:
        need(subject.peer().request("list", timeout=20) == subject.once("list", {}), "two lists")
    return "schema, list"


def unknown_command(subject: Subject) -> str:
    """Check that an unknown command is a usage error."""
    done = subject.run(NONE)
    need(done.status == 2, f"status {done.status}, not 2")
    return "exit 2"


def error_shape(subject: Subject) -> str:
    """Check that an error is a JSON document at the end of standard error.

    The `exit` in the document must be equal to the exit status.
    """
    verb, document, allowed = ("resolve", {"ref": NONE}, (2, 3)) if subject.provides else (NONE, {}, (2,))
    done = subject.run(verb, "--input", "-", "--json", document=document)
    error = _last_error(done.stderr)
    need(error is not None, "the last line on standard error is not a JSON error")
    assert error is not None
    for key in ("code", "message"):
        need(isinstance(error.get(key), str) and error[key], f"the error has no {key}")
    need(error.get("exit") in STATUSES, f"exit status {error.get('exit')!r} is not one of docs/protocol.md")
    need(done.status == error["exit"], f"status {done.status}, exit {error['exit']}")
    need(done.status in allowed, f"exit status {done.status} for a machine that does not exist")
    if verb == "resolve" and done.status == NOT_FOUND:
        data = error.get("data")
        need(isinstance(data, dict) and data.get("gone") is True, 'the data of the error has no "gone": true')
    need(not done.stdout.strip(), "an error, but also output on standard output")
    return f"{error['code']}, exit {done.status}"


def _last_error(stderr: bytes) -> dict[str, Any] | None:
    lines = stderr.strip().splitlines()
    try:
        document = json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else None


def end_of_input(subject: Subject) -> str:
    """Check that the tool does not hang if standard input is empty, and that `serve` ends at the end of its
    input.
    """
    verb = "resolve" if subject.provides else next(iter(subject.commands), NONE)
    subject.run(verb, "--input", "-", "--json")
    if not subject.serves:
        return "a call ends"
    peer, began = subject.peer(), time.monotonic()
    peer.close(timeout=10)
    subject.forget()
    need(time.monotonic() - began < 10, "serve had to be killed: it still ran 10 s after the end of its input")
    return "a call and serve end"


def nothing_secret(subject: Subject) -> str:
    """Check that the tool has printed no secret from the environment."""
    secret = {
        name: value for name, value in os.environ.items()
        if len(value) >= SHORTEST and (name == CANARY or any(word in name for word in SECRET))
    }  # fmt: skip
    shown = sorted(name for name, value in secret.items() if any(value in text for text in subject.printed))
    need(not shown, f"it printed the value of {', '.join(shown)}")
    return f"{sum(map(len, subject.printed))} letters read"


CHECKS: list[tuple[str, Callable[[Subject], str]]] = [
    ("schema", described),
    ("--help, --version", for_people),
    ("one call and serve agree", both_faces),
    ("a wrong command", unknown_command),
    ("errors", error_shape),
    ("end of input", end_of_input),
]
