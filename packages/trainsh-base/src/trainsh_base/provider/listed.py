"""Remembers the machines that a provider listed last. For ten minutes, completion offers their ids.

The script instance.sh reads what is written here.
"""

import contextlib
from collections.abc import Iterable

from trainsh_base.errors import NotFound
from trainsh_base.provider.instance import Instance
from trainsh_base.system.files import write_atomic
from trainsh_base.system.paths import private_folder, state_home
from trainsh_base.system.suggest import nearest


def remember(provider: str, rows: Iterable[Instance]) -> None:
    """Write the ids of `rows`, each with a description.

    If there is no folder to write to, nothing is remembered.
    """
    lines = [f"{row.id}\t{_about(row)}\n" for row in rows]
    with contextlib.suppress(OSError):
        write_atomic(private_folder(state_home() / "instances") / provider, "".join(lines))


def no_instance(provider: str, id: str, **data: bool) -> NotFound:
    """Return the error for a machine that the provider does not have.

    The hint names the most similar id among the machines that the provider listed last.
    """
    hint = f"see: train {provider} list"
    with contextlib.suppress(OSError):
        lines = (state_home() / "instances" / provider).read_text().splitlines()
        if near := nearest(id, [line.partition("\t")[0] for line in lines]):
            hint = f"did you mean {near}? {hint}"
    return NotFound(f"there is no instance {id}", hint, code="no_instance", data=data)


def _about(row: Instance) -> str:
    gpus = f"{row.gpu_count}x {row.gpu}" if row.gpu_count > 1 else row.gpu
    return " ".join(" ".join((row.state, gpus, row.label)).split())
