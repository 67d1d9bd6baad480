"""Everything that costs money now: the machines in the `bill` of each provider, and the jobs that hold these
machines.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec

from trainsh_base.errors import MissingProgram, TrainError
from trainsh_base.provider.bill import Amount
from trainsh_base.request import side_by_side
from trainsh_base.tool.peer import call
from trainsh_pricing.model import Bill, Billed, Month, Silent, Sum

HOURS_A_DAY = Decimal(24)
HOURS_A_MONTH = Decimal(730)  # 365 days of 24 hours, in 12 months
EXACT = Decimal("0.0001")
LIMIT = 60.0  # seconds for one provider's answer
LIVE = ("running",)
STOPPED = "stopped"

Convert = Callable[[Decimal, str], Decimal]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a row of `bill` or `list` that are read here (docs/providers.md). Other fields are ignored."""

    id: int | str
    state: str
    label: str = ""
    job: str = ""
    gpu: str = ""
    gpu_count: int = 0
    price_per_hour: Decimal | None = None
    storage_per_hour: Decimal | None = None
    per_hour: Decimal | None = None
    currency: str = "USD"
    end: str = ""


class Rented(Row, frozen=True, kw_only=True):
    """A machine that the journal of a job lists as rented."""

    provider: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a job that has not ended that are read here. Other fields are ignored."""

    id: str
    state: str
    instances: list[Rented] = []


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider bills now, and what it has billed this month."""

    now: list[Row]
    month: Amount | None = None


def bill(names: list[str], convert: Convert, currency: str, *, everything: bool = True) -> Bill:
    """Ask the providers `names` for their bills. Return one bill in `currency`.

    With `everything`, machines of other providers are added if the journal of an open job lists them. `convert`
    takes an amount and its currency, and returns the amount in `currency`.
    """
    answers = dict(zip(names, side_by_side(names, _asked), strict=True))
    jobs = _open_jobs()
    states = {job.id: job.state for job in jobs}
    found, months, silent = list[Billed](), list[Month](), list[Silent]()
    for name, answer in answers.items():
        if isinstance(answer, TrainError):
            silent.append(Silent(provider=name, problem=answer.message, code=answer.code))
        elif answer is not None:
            found += [_billed(name, row, states, convert, currency) for row in answer.now if row.state != "gone"]
            amount = convert(answer.month.amount, answer.month.currency).quantize(EXACT) if answer.month else None
            if answer.now or amount is not None:
                months.append(Month(provider=name, amount=amount, currency=currency))
    found += [
        _billed(row.provider, msgspec.structs.replace(row, job=job.id), states, convert, currency, "journal")
        for job in jobs for row in job.instances
        if everything and answers.get(row.provider) is None and row.state not in ("gone", "failed")
    ]  # fmt: skip
    found = sorted((row for row in found if row.per_hour), key=lambda row: -row.per_hour)
    stopped = [row for row in found if row.state == STOPPED]
    running = [row for row in found if row.state != STOPPED]
    return Bill(
        running=running, stopped=stopped, running_sum=_sum(running), stopped_sum=_sum(stopped), sum=_sum(found),
        currency=currency, months=months, silent=silent,
    )  # fmt: skip


def unowned(found: Bill, *, running_only: bool = False) -> list[Billed]:
    """Return the machines that cost money although no running job holds them."""
    return [row for row in [*found.running, *([] if running_only else found.stopped)] if not row.owned]


def _asked(name: str) -> Answer | TrainError | None:
    """Return a provider's answer to `bill`. If the provider has no `bill`, return its answer to `list`.

    If the provider cannot be asked, return the error. If its credential was never stored, return None.
    """
    try:
        try:
            return msgspec.convert(call(name, "bill", timeout=LIMIT), Answer)
        except TrainError as error:
            if error.exit_status != 2:  # 2 means that the provider has no such command
                raise
            return Answer(now=msgspec.convert(call(name, "list", timeout=LIMIT), list[Row], strict=False))
    except msgspec.ValidationError as error:
        return TrainError(f"its bill cannot be read: {error}", code="bad_answer")
    except TrainError as error:
        return None if error.code == "no_secret" else error


def _open_jobs() -> list[Job]:
    """Return the jobs that have not ended. Return no jobs if train-recipe is not installed."""
    try:
        return msgspec.convert(call("recipe", "jobs", {"open": True}, timeout=LIMIT), list[Job])
    except MissingProgram:
        return []


def _billed(
    provider: str, row: Row, jobs: dict[str, str], convert: Convert, currency: str, source: str = "provider"
) -> Billed:
    price = convert(row.price_per_hour or Decimal(0), row.currency)
    storage = convert(row.storage_per_hour or Decimal(0), row.currency)
    default = storage if row.state == STOPPED else price
    hour = default if row.per_hour is None else convert(row.per_hour, row.currency)
    state = jobs.get(row.job, "over") if row.job else ""
    return Billed(
        provider=provider, source=source, id=str(row.id), label=row.label, state=row.state, job=row.job,
        job_state=state, owned=state in LIVE, gpu=f"{row.gpu_count}x {row.gpu}" if row.gpu_count > 1 else row.gpu,
        price_per_hour=price.quantize(EXACT), storage_per_hour=storage.quantize(EXACT), currency=currency,
        per_hour=hour.quantize(EXACT), per_day=(hour * HOURS_A_DAY).quantize(EXACT),
        per_month=(hour * HOURS_A_MONTH).quantize(EXACT), end=row.end,
    )  # fmt: skip


def _sum(rows: Iterable[Billed]) -> Sum:
    found = list(rows)
    return Sum(
        per_hour=sum((row.per_hour for row in found), Decimal(0)),
        per_day=sum((row.per_day for row in found), Decimal(0)),
        per_month=sum((row.per_month for row in found), Decimal(0)),
    )
