"""Carries out `pick`: chooses a machine for a host of a recipe.

It takes a rented machine or, if allowed, one of the market.
"""

from trainsh_base.errors import Conflict, NotFound, TrainError, UsageError
from trainsh_base.provider.rental import Note, rental
from trainsh_base.request import current
from trainsh_vast.api.service import Row, Service
from trainsh_vast.limits import onstart
from trainsh_vast.market import offers
from trainsh_vast.market.wanted import Wanted
from trainsh_vast.model import Rented
from trainsh_vast.rented import held, labels, rows, states
from trainsh_vast.verbs import creating, picked
from trainsh_vast.verbs import states as changing
from trainsh_vast.verbs.picked import Rules
from trainsh_vast.vetting import bad_machines

ORDER = {"running": 0, "starting": 1, "stopped": 2, "stopping": 3}
TRIES = 8  # the most offers that are tried one after the other


def pick(
    service: Service, host: str, job: str | None, wanted: Wanted, rules: Rules, given: int | None = None
) -> Row:
    """The machine for `host`.

    The first of these that exists is chosen: the host's current machine (`given`), the machine of an earlier
    attempt, a rented machine, a new one.
    """
    if not job:
        return _fresh(service, host, None, wanted, rules, None)
    with rental("vast", job, host) as note:
        picked.save(job, host, wanted, rules)
        mine = creating.look_first(service, labels.marked("", job, host), note)
        if given is not None and (mine is None or int(mine["id"]) != given):
            mine = _given(service, given, job, host) or mine
        if mine is not None:
            current().emit("log", message=f"instance {mine['id']} is this job's already")
            return _started(service, mine)
        return _fresh(service, host, job, wanted, rules, note)


def _given(service: Service, number: int, job: str, host: str) -> Row | None:
    """Give the instance that is already the host's machine the label of this job, and return the instance.

    Return None if the instance no longer exists.
    """
    row = service.instance(number)
    if row is None:
        current().emit("log", message=f"instance {number} is gone")
        return None
    if not held.is_held(row, job):
        picked.take(job, number)
    service.set_label(number, labels.marked(row.get("label"), job, host))
    return row


def _fresh(service: Service, host: str, job: str | None, wanted: Wanted, rules: Rules, note: Note | None) -> Row:
    found, others = candidates(service, wanted, job)
    trouble = ""
    while found:
        chosen = _choose(found[: rules.limit], rules, host)
        try:
            if job:
                picked.take(job, int(chosen["id"]))
                service.set_label(int(chosen["id"]), labels.marked(chosen.get("label"), job, host))
            return _started(service, chosen)
        except Conflict as error:
            trouble = error.message
            current().emit("log", message=f"{trouble}; looking at the next")
            if job:
                service.set_label(int(chosen["id"]), labels.unmarked(chosen.get("label")))
            found = [row for row in found if row["id"] != chosen["id"]]
    if rules.create:
        return _rent(service, host, job, wanted, rules, note)
    raise _none(host, others, trouble)


def _none(host: str, others: list[str], trouble: str) -> NotFound:
    why = trouble or (f"held by other jobs: {', '.join(others)}" if others else "")
    return NotFound(
        f"none of your instances fits host {host}" + (f" ({why})" if why else ""),
        "to rent one automatically: create=true image=IMAGE max_dph=DOLLARS\n"
        "to rent one by hand: train vast search, train vast create OFFER",
        code="no_match",
    )


def candidates(service: Service, wanted: Wanted, job: str | None) -> tuple[list[Row], list[str]]:
    """Return (the rented instances that fit, the best one first; the jobs that hold others that fit)."""
    found, others = [], []
    for row in bad_machines.good(list(service.instances())):
        if states.condition(row).state not in ORDER or not wanted.fits_rented(row):
            continue
        holder = held.held_by_other(row, job)
        if job and labels.holder(row.get("label"))[0] == labels.holder(labels.marked("", job, ""))[0]:
            continue  # this instance is the machine of another host of this job
        if holder:
            others.append(holder)
        else:
            found.append(row)
    found.sort(key=lambda row: (ORDER[states.condition(row).state], float(row.get("dph_total") or 0.0)))
    return found, others


def _choose(found: list[Row], rules: Rules, host: str) -> Row:
    if rules.auto or len(found) == 1:
        return found[0]
    lines = _lines(found)
    try:
        answer = current().ask(
            "choose", f"Which instance for {host}?", choices=lines, default=lines[0], flag="auto=true"
        )
    except UsageError as error:
        if error.code != "cannot_ask":
            raise
        return found[0]
    return found[lines.index(answer)] if answer in lines else found[0]


def _lines(found: list[Row]) -> list[str]:
    """One line for each row, with aligned columns."""
    cells = [_cells(rows.rented(row)) for row in found]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip() for line in cells
    ]


def _cells(row: Rented) -> list[str]:
    return [
        str(row.id),
        f"{row.gpu_count}x {row.gpu}",
        row.state,
        f"${row.price_per_hour:.3f}/h",
        row.place,
        row.label,
    ]


def _started(service: Service, row: Row) -> Row:
    if states.condition(row).state in ("stopped", "stopping"):
        current().emit("log", message=f"starting instance {row['id']}")
        return changing.start(service, int(row["id"]))
    return row


def _rent(service: Service, host: str, job: str | None, wanted: Wanted, rules: Rules, note: Note | None) -> Row:
    if not job or note is None:
        raise UsageError("create=true is for recipes", "by hand: train vast create OFFER", code="bad_parameter")
    bad = len(bad_machines.known())
    found = bad_machines.good(offers.search(service, wanted, "price", TRIES + bad))[:TRIES]
    if not found:
        raise NotFound(
            f"the market has no offer that fits host {host}", "ask for less: train vast search", code="no_match"
        )
    if rules.max_dph is None and not _agreed(found[0], host):
        raise UsageError(
            "create=true needs a price limit", "give one in dollars an hour: max_dph=0.5", code="no_price_limit"
        )
    script = onstart.guarded("", rules.limits, float(found[0]["dph_total"])) if rules.limits else ""
    label = labels.marked("", job, host)
    body = creating.request_body(image=rules.image, disk=wanted.disk, label=label, onstart=script)
    if wanted.bid:
        body["price"] = found[0].get("min_bid")
    with creating.named_at_the_end(service, label):
        row = creating.settled(service, creating.rent(service, found, body, note), note)
    picked.add_rented(job, host, int(row["id"]))
    current().emit("log", message=f"rented instance {row['id']} for ${rows.rented(row).price_per_hour:.3f} an hour")
    return row


def _agreed(offer: Row, host: str) -> bool:
    """Whether the user accepts the price of this offer. False if the program is not interactive."""
    question = f"Rent {offer['num_gpus']}x {offer['gpu_name']} for {host} at ${offer['dph_total']:.3f} an hour?"
    try:
        return current().ask("confirm", question, default="no", flag="max_dph=DOLLARS") == "yes"
    except TrainError:
        return False
