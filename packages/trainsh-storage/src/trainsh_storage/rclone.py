"""Runs rclone on a storage."""

from trainsh_base.errors import TimedOut, Unreachable
from trainsh_base.remote.rclone import environment, error_for, last_line, program
from trainsh_base.system.proc import run
from trainsh_storage.model import Resolved

QUICK = ("--retries", "1", "--low-level-retries", "2", "--contimeout", "10s", "--timeout", "30s")
LIMIT = 60.0


def path(place: Resolved, below: str = "") -> str:
    """The path `below` in a storage as an argument of rclone, such as `remote:root/below`.

    For a storage that is a folder, it is a plain path.
    """
    root = "/".join(part for part in (place.root.rstrip("/"), below.strip("/")) if part)
    return f"{place.remote}{root}" if place.engine == "rclone" else root or "/"


def ask(place: Resolved, *words: str, input: bytes | None = None) -> bytes:
    """Run rclone with `words` and few retries, and return its output. Raises a typed error if rclone fails."""
    label = f"{place.name or place.kind} ({place.root or place.remote})"
    env = environment(place.env, own_config=place.own_config)
    try:
        done = run([program(), *words, *QUICK], env=env, input=input, timeout=LIMIT, check=False)
    except TimedOut:
        raise Unreachable(
            f"{label} did not answer within {LIMIT:g} seconds", _hint("no_answer", place), code="no_answer"
        ) from None
    if done.status != 0:
        error = error_for(done.status, last_line(done.stderr.decode(errors="replace")), label)
        error.hint = _hint(error.code, place) or error.hint
        raise error
    return done.stdout


def _hint(code: str, place: Resolved) -> str:
    """A hint that tells what to do about an error with this code."""
    show = f"train storage show {place.name}" if place.name else "train config show"
    return {
        "refused": f"look at its secrets: {show if place.name else 'train secrets list'}",
        "forbidden": "allow this key to list, read, write and delete objects in the bucket",
        "no_bucket": f"create the bucket, or correct its name: {show}" if place.name else "create the bucket first",
        "unreachable": f"look at its address: {show}",
        "no_answer": f"look at its address: {show}",
    }.get(code, "")


def obscure(value: str) -> str:
    """A password in the form that rclone's options need."""
    return run([program(), "obscure", "-"], input=value.encode(), env=environment({}, own_config=False)).text()
