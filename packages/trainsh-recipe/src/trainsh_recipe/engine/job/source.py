"""Has train-dsl parse a recipe, and checks the overrides of the command line against the plan."""

from typing import TYPE_CHECKING, Any

import msgspec

from trainsh_base.errors import Conflict, UsageError
from trainsh_base.request import current
from trainsh_base.system import spawn
from trainsh_base.system.suggest import did_you_mean
from trainsh_base.tool.peer import Peer
from trainsh_recipe import kept_plan, prestart
from trainsh_recipe.plan import document as plans
from trainsh_recipe.plan import numbering
from trainsh_recipe.plan.document import Control, Execute, Plan, Transfer
from trainsh_recipe.store.options import Overrides

if TYPE_CHECKING:
    from pathlib import Path


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe to run: its text, its file ("" for none), its name, and whether it is text of `exec`."""

    text: bytes
    file: str
    name: str
    exec_: bool = False


class Parsed(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of a recipe, the SHA-256 of the recipe's text, and the SHA-256 of the plan as JSON."""

    plan: Plan
    digest: str
    plan_digest: str


def from_file(path: "Path") -> Source:
    """Return the recipe in a file."""
    from trainsh_recipe.store import recipes  # noqa: PLC0415 - not for `exec`

    return Source(text=recipes.read(path), file=str(path.absolute()), name=path.stem)


def digest(data: bytes) -> str:
    """Return the SHA-256 of `data`, in hexadecimal."""
    # hashlib loads OpenSSL, which takes 3 ms. The module `random` of Python does without in the same way.
    try:
        from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - Python 3.11
    except ImportError:
        try:
            from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - Python 3.12 and later
        except ImportError:
            from hashlib import sha256  # noqa: PLC0415 - a Python without its own hashes
    return str(sha256(data).hexdigest())


def parse(source: Source, overrides: Overrides, shown: str = "") -> Parsed:
    """Have train-dsl parse a recipe, or use the kept answer for a text of `exec`.

    Raises UsageError `recipe_invalid` with all diagnostics."""
    text, kept = prestart.plan
    if source.exec_ and kept and not any(overrides.values()) and text.encode() == source.text:
        found = msgspec.json.decode(kept)
        return Parsed(plan=plans.read(found["plan"]), digest=found["digest"], plan_digest=found["plan_digest"])
    child = prestart.take("dsl")
    asked = child is not None and source.exec_ and not any(overrides.values()) and _asked(source.text)
    dsl = Peer("dsl", child=child, asked=asked)
    given = [name for kind in overrides.values() for name in kind]
    params: dict[str, Any] = {"name": source.name, "given": given}
    if source.exec_:
        params |= {"exec": True, **_configured(source.text)}
    if source.file and not source.exec_:
        params["file"] = shown or source.file
    else:
        params["text"] = source.text.decode("utf-8", "replace")
    pending = dsl.first if asked else dsl.start("parse", params)
    summed = digest(source.text)
    document = pending.result()
    if source.file and _changed(source):
        raise Conflict(f"{source.file} was changed while it was read", "run it again", code="changed")
    plan = plans.read(document)
    check_overrides(plan, overrides)
    parsed = Parsed(plan=plan, digest=summed, plan_digest=digest(msgspec.json.encode(plan)))
    if source.exec_ and not given and _from_text_alone(plan):
        known = {"plan": document, "digest": parsed.digest, "plan_digest": parsed.plan_digest}
        kept_plan.keep(source.text, msgspec.json.encode(known))
    return parsed


def _asked(text: bytes) -> bool:
    """Return whether train-dsl was asked already to parse this text of an `exec`."""
    return prestart.parsing != "" and prestart.parsing.encode() == text


def _changed(source: Source) -> bool:
    from pathlib import Path  # noqa: PLC0415 - not for `exec`

    from trainsh_recipe.store import recipes  # noqa: PLC0415 - as above

    return recipes.read(Path(source.file)) != source.text


def _from_text_alone(document: Plan) -> bool:
    """Return whether the plan only runs commands on hosts that are given by their names."""
    steps = [each.step for each in numbering.all_of(document)]
    return not document.storages and all(
        isinstance(step, Execute) or (isinstance(step, Control) and step.implied) for step in steps
    )


def _configured(text: bytes) -> dict[str, list[str]]:
    """Return, for `exec`, the names of the configured storages and hosts, by kind.

    Returns {} if the text has no transfer (`->`).
    """
    found: dict[str, list[str]] = {}
    if b"->" not in text:
        return found
    for tool, key in (("storage", "configured_storage"), ("host", "configured_host")):
        if spawn.tool_path(tool) and (key == "configured_storage" or found):
            rows = Peer(tool).request("list", timeout=60)
            found[key] = [str(row["name"]) for row in rows]
    return found


def check_overrides(document: Plan, overrides: Overrides) -> None:
    """Raise UsageError if an override has a name that the recipe lacks.

    The error suggests the most similar name.
    """
    options = [each.step.options for each in numbering.all_of(document)]
    captures = {each.capture for each in options if each.capture}
    known = {
        "hosts": set(document.hosts),
        "storages": set(document.storages),
        "vars": set(document.vars) | captures,
    }
    flags = {"hosts": "--host", "storages": "--storage", "vars": "--var"}
    for kind, values in overrides.items():
        for name in values:
            if name not in known[kind]:
                raise UsageError(
                    f"{flags[kind]} {name}=...: the recipe has no {kind[:-1]} {name}",
                    did_you_mean(name, known[kind], f"it has {', '.join(sorted(known[kind])) or 'none'}"),
                    code="unknown_override", data={"name": name},
                )  # fmt: skip


def fill_storages(document: Plan, overrides: Overrides) -> None:
    """Ask the person for the specs of storages that have none.

    Raises UsageError, which names the flag, if not interactive.
    """
    given = overrides.get("storages", {})
    steps = [each.step for each in numbering.all_of(document)]
    used = {end.storage for step in steps if isinstance(step, Transfer) for end in (step.source, step.destination)}
    if any(isinstance(step, Control) and step.tool != "tmux" for step in steps):
        return  # the answer of a tool may set the storages while the recipe runs
    for name, place in document.storages.items():
        if place.type == "placeholder" and name in used and name not in given:
            question = f"What is storage {name} (such as r2:bucket, s3:bucket, file:/path)?"
            spec = current().ask("text", question, flag=f"--storage {name}=SPEC")
            overrides.setdefault("storages", {})[name] = spec


def shown_name(source: Source) -> str:
    if not source.file:
        return source.name
    from pathlib import Path  # noqa: PLC0415 - not for `exec`

    path = Path(source.file)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
