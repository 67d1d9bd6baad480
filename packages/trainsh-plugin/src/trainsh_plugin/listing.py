"""The tools that provide machines: those declared in a file beside their program, and those whose schema says
so."""

import json
import threading
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_base.system.configuration import share
from trainsh_base.system.proc import run
from trainsh_base.tool.peer import find, installed
from trainsh_plugin.model import Provider

LIMIT = 5.0  # seconds that a tool may take to print its schema


def providers() -> list[Provider]:
    """Every provider of hosts. A tool with a manifest is not run; any other tool prints its schema."""
    folders = share.every_folder()
    names = installed()
    declared = {
        name for folder in folders for name in share.names(folder, "provides")
        if "hosts" in (share.read(folder, "provides", name) or "").split()
    }  # fmt: skip
    known = {name for folder in folders for name in share.names(folder, "tools")} | declared
    found: dict[str, bool] = {}

    def ask(name: str) -> None:
        found[name] = provides_hosts(schema_of(find(name)))

    threads = [threading.Thread(target=ask, args=(name,), daemon=True) for name in names if name not in known]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [
        Provider(name=name, program=find(name), declared=name in declared)
        for name in names if name in declared or found.get(name)
    ]  # fmt: skip


def schema_of(program: str) -> Any:
    """The output of `PROGRAM schema`; None when it is not JSON."""
    try:
        done = run([program, "schema"], timeout=LIMIT, check=False)
        return json.loads(done.stdout) if done.status == 0 else None
    except (TrainError, ValueError):
        return None


def provides_hosts(answer: Any) -> bool:
    """Whether a schema says that its tool provides machines."""
    found = answer.get("provides") if isinstance(answer, dict) else None
    return isinstance(found, list) and "hosts" in found
