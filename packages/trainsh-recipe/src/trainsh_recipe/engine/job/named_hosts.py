"""Checks, before a run, that train-host or ssh knows the hosts that a recipe names. Connects to no host."""

from trainsh_base.errors import NotFound, TrainError
from trainsh_base.remote.host_spec import parse_spec
from trainsh_base.tool.peer import Peer
from trainsh_recipe.engine.values import Secrets, Values, refs
from trainsh_recipe.plan.document import Plan
from trainsh_recipe.store.options import Overrides, RunOptions
from trainsh_recipe.store.state import State

LIMIT = 20.0


def unknown(document: Plan, overrides: Overrides) -> list[NotFound]:
    """Return an error for each host that neither train-host nor ssh knows.

    The error's hint has the most similar name.
    """
    values = Values(document, State(options=RunOptions(overrides=overrides)), Secrets(lambda name: ""))
    found: list[NotFound] = []
    peer: Peer | None = None
    for name, spec in values.known_hosts().items():
        if name not in overrides.get("hosts", {}) and refs(document.hosts[name].spec):
            continue  # a step or a secret may still change it
        try:
            if spec == "local" or parse_spec(spec).form != "name":
                continue
            peer = peer or Peer("host")
            peer.request("resolve", {"name": spec}, timeout=LIMIT)
        except NotFound as error:
            found.append(NotFound(f"host {name}: {error.message}", error.hint, code=error.code))
        except TrainError:
            continue  # the run reports this
    return found
