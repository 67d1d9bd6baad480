"""Has the person choose a machine of a provider before the recipe runs: `--pick-host NAME[=PROVIDER]`."""

import msgspec

from trainsh_base.errors import MissingProgram, UsageError
from trainsh_base.provider.installed import installed
from trainsh_base.request import current
from trainsh_base.tool.peer import Peer
from trainsh_recipe.engine.outside.questions import Questions
from trainsh_recipe.engine.outside.view import View


def pick(word: str) -> tuple[str, str]:
    """Return (host name, its spec).

    Raises MissingProgram if no provider is installed, UsageError if no machine was chosen.
    """
    name, _, tool = word.partition("=")
    provider = tool or _provider(name)
    answer = Peer(provider, on_ask=Questions(current(), View()).ask).request("pick", {"host": name})
    spec = (answer or {}).get("hosts", {}).get(name)
    if not spec:
        raise UsageError(f"no machine was picked for {name}", code="nothing_picked")
    return name, spec if isinstance(spec, str) else msgspec.json.encode(spec).decode()


def _provider(name: str) -> str:
    """Return the only installed provider, or the one that the person chooses."""
    found = [provider.name for provider in installed()]
    flag = f"--pick-host {name}=PROVIDER"
    if not found:
        raise MissingProgram(f"no provider of machines is installed to pick {name} from", flag, code="no_tool")
    return found[0] if len(found) == 1 else current().ask("choose", f"Pick {name} from", choices=found, flag=flag)
