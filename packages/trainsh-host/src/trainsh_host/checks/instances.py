"""The machines of the installed providers, from each provider's `list`."""

import json
import threading
from typing import Any

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.system.configuration import share
from trainsh_base.system.proc import run
from trainsh_base.tool.peer import call, find, installed
from trainsh_host.model import Listed

SCHEMA_LIMIT, LIST_LIMIT = 5.0, 15.0  # seconds that a tool may take


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """The fields used from a row of a provider's `list` (docs/providers.md); other fields are ignored."""

    id: int | str
    state: str = ""
    label: str = ""
    job: str = ""
    gpu: str = ""
    gpu_count: int = 0
    price_per_hour: float = 0.0
    currency: str = "USD"
    end: str = ""


def providers() -> list[str]:
    """The installed tools that provide hosts.

    A tool with a manifest declares it in `share/trainsh/provides/NAME`. Other tools print their schema, all at
    once.
    """
    folders = share.every_folder()
    declared = {
        name for folder in folders for name in share.names(folder, "provides")
        if "hosts" in (share.read(folder, "provides", name) or "").split()
    }  # fmt: skip
    known = {name for folder in folders for name in share.names(folder, "tools")}
    names = installed()
    strangers = [name for name in names if name not in known and name not in declared]
    answers = _side_by_side(strangers, _provides_hosts)
    return [name for name in names if name in declared or answers.get(name)]


def _provides_hosts(name: str) -> bool:
    try:
        done = run([find(name), "schema"], timeout=SCHEMA_LIMIT, check=False)
        schema = json.loads(done.stdout) if done.status == 0 else {}
    except (TrainError, ValueError):
        return False
    found = schema.get("provides") if isinstance(schema, dict) else None
    return isinstance(found, list) and "hosts" in found


def instances() -> list[Listed]:
    """The machines of every provider. A provider that fails gives one row with the reason."""
    found = _side_by_side(providers(), _rows)
    return [row for rows in found.values() for row in rows]


def _rows(name: str) -> list[Listed]:
    """The rows of one provider. Empty if its credential was never stored: it is installed but not in use."""
    try:
        rows = msgspec.convert(call(name, "list", timeout=LIST_LIMIT), list[Instance])
    except msgspec.ValidationError as error:
        problem = f"its list is not understood: {error}"
        return [Listed(name=f"{name}:", type=name, problem=problem, code="bad_answer")]
    except TrainError as error:
        if error.code == "no_secret":
            return []
        return [Listed(name=f"{name}:", type=name, problem=error.message, code=error.code)]
    return [_row(name, row) for row in rows]


def _row(provider: str, row: Instance) -> Listed:
    gpu = f"{row.gpu_count} x {row.gpu}" if row.gpu_count > 1 else row.gpu
    return Listed(
        name=f"{provider}:{row.id}", type=provider, notes=row.label or row.job, state=row.state, gpu=gpu,
        price_per_hour=row.price_per_hour, currency=row.currency if row.price_per_hour else "", end=row.end,
    )  # fmt: skip


def _side_by_side(names: list[str], work: Any) -> dict[str, Any]:
    """Call `work` for all names at once; returns the results in the order of `names`."""
    found: dict[str, Any] = dict.fromkeys(names)

    def one(name: str) -> None:
        found[name] = work(name)

    threads = [threading.Thread(target=one, args=(name,), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {name: value for name, value in found.items() if value is not None}
