"""Shows a recipe, or the steps that it would run, without running them."""

from pathlib import Path

from trainsh_base.tool.peer import Peer
from trainsh_recipe.engine.job import secrets_ahead
from trainsh_recipe.engine.job import source as sources
from trainsh_recipe.engine.job.rehearsal import Rehearsal
from trainsh_recipe.engine.job.source import Source
from trainsh_recipe.engine.values import Secrets, Values
from trainsh_recipe.model import Planned, RecipeText
from trainsh_recipe.plan import document as plans
from trainsh_recipe.plan.document import Plan
from trainsh_recipe.store.options import Overrides, RunOptions
from trainsh_recipe.store.state import State


def rehearse(document: Plan, source: Source, overrides: Overrides) -> list[Planned]:
    """Return the steps that a run would do, with variables and hosts replaced by their values."""

    state = State(id="JOB_ID", name=source.name, options=RunOptions(overrides=overrides), cwd=str(Path.cwd()))
    secrets = secrets_ahead.look_up(secrets_ahead.needed(document, overrides), rehearsed=True)
    return Rehearsal(document, state, secrets).steps()


def described(path: Path, *, graph: bool) -> RecipeText:
    """Return a recipe's text, with the variables, hosts and storages of its plan."""
    source = sources.from_file(path)
    dsl = Peer("dsl")
    drawn = dsl.request("graph", {"file": source.file}, timeout=60)["mermaid"] if graph else ""
    document = plans.read(dsl.request("parse", {"file": source.file}, timeout=60))
    values = Values(document, State(), Secrets(lambda name: ""))
    return RecipeText(
        name=source.name, path=str(path), text=source.text.decode("utf-8", "replace"), steps=len(document.steps),
        finally_steps=len(document.finally_), vars=list(document.vars), graph=drawn,
        hosts={name: values.shown(place.spec) for name, place in document.hosts.items()},
        storages={name: values.shown(place.spec) for name, place in document.storages.items()},
    )  # fmt: skip
