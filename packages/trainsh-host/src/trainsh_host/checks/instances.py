"""Gets the machines of the installed providers from each provider's `list`."""

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.provider.installed import installed
from trainsh_base.request import side_by_side
from trainsh_base.tool.peer import call
from trainsh_host.model import Listed

LIST_LIMIT = 15.0  # seconds within which a provider must answer


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a row of a provider's `list` that this package needs (docs/providers.md).

    Other fields are ignored.
    """

    id: int | str
    state: str = ""
    label: str = ""
    job: str = ""
    gpu: str = ""
    gpu_count: int = 0
    price_per_hour: float = 0.0
    storage_per_hour: float = 0.0
    currency: str = "USD"
    end: str = ""


def instances() -> list[Listed]:
    """The machines of all providers. For a provider that fails, there is one row with the reason."""
    found = side_by_side([one.name for one in installed()], _rows)
    return [row for rows in found for row in rows]


def _rows(name: str) -> list[Listed]:
    """The rows of one provider.

    If no credential was ever stored for the provider, it is installed but not used. Then the list is empty.
    """
    try:
        rows = msgspec.convert(call(name, "list", timeout=LIST_LIMIT), list[Instance])
    except msgspec.ValidationError as error:
        problem = f"its list cannot be read: {error}"
        return [Listed(name=f"{name}:", type=name, problem=problem, code="bad_answer")]
    except TrainError as error:
        if error.code == "no_secret":
            return []
        return [Listed(name=f"{name}:", type=name, problem=error.message, code=error.code)]
    return [_row(name, row) for row in rows]


def _row(provider: str, row: Instance) -> Listed:
    gpu = f"{row.gpu_count} x {row.gpu}" if row.gpu_count > 1 else row.gpu
    price = row.storage_per_hour if row.state == "stopped" else row.price_per_hour
    return Listed(
        name=f"{provider}:{row.id}", type=provider, notes=row.label or row.job, state=row.state, gpu=gpu,
        price_per_hour=price, currency=row.currency if price else "", end=row.end,
    )  # fmt: skip
