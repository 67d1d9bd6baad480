"""`--pick-host NAME[=PROVIDER]`: choose a machine of a provider before the recipe runs."""

import msgspec

from trainsh_base.errors import MissingProgram, UsageError
from trainsh_base.request import current
from trainsh_base.system.configuration import share
from trainsh_base.tool.peer import Peer, installed
from trainsh_recipe.ui import foreground


def pick(word: str) -> tuple[str, str]:
    """(host of the recipe, its spec). Raises MissingProgram without a provider, UsageError if none was chosen."""
    name, _, tool = word.partition("=")
    provider = tool or _provider(name)
    answer = Peer(provider, on_ask=foreground.answer).request("pick", {"host": name})
    spec = (answer or {}).get("hosts", {}).get(name)
    if not spec:
        raise UsageError(f"no machine was picked for {name}", code="nothing_picked")
    return name, spec if isinstance(spec, str) else msgspec.json.encode(spec).decode()


def _provider(name: str) -> str:
    """The only installed provider, or the one that the person chooses."""
    folders, tools = share.every_folder(), installed()
    found = sorted(
        {
            tool for folder in folders for tool in share.names(folder, "provides")
            if tool in tools and "hosts" in (share.read(folder, "provides", tool) or "").split()
        }
    )  # fmt: skip
    flag = f"--pick-host {name}=PROVIDER"
    if not found:
        raise MissingProgram(f"no provider of machines is installed to pick {name} from", flag, code="no_tool")
    return found[0] if len(found) == 1 else current().ask("choose", f"Pick {name} from", choices=found, flag=flag)
