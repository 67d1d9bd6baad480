"""Carries out `create`, `pick`, `wait` and `estimate`, for people and for recipes."""

import secrets
from typing import Any

from trainsh_base.provider.estimate import Estimate
from trainsh_base.provider.rental import rental
from trainsh_base.system.configuration.config import config_value
from trainsh_vast.api.service import Service
from trainsh_vast.limits.limits import Limits
from trainsh_vast.market import offers
from trainsh_vast.market.wanted import Wanted
from trainsh_vast.model import Created, Rented, Verb
from trainsh_vast.rented import held, labels, rows
from trainsh_vast.verbs import accepting, creating, picking
from trainsh_vast.verbs.picked import Rules
from trainsh_vast.vetting import bad_machines

# the limits of the wait if a pick also measures the machine
PATIENCE = accepting.Patience(timeout=600.0, poll=10.0)
COUNTED = 64  # the most offers that an estimate counts


def create(
    service: Service, offer: int, *, image: str | None, disk: float, label: str | None, onstart: str | None,
    env: dict[str, str] | None, price: float | None, job: str | None,
) -> Created:  # fmt: skip
    """Rent an offer.

    If `job` is given and already holds an instance, this instance is returned, and no second one is rented.
    """
    # Without a job or a label, a random label is set, so that the instance can be found if the answer is lost.
    mark = labels.marked(label, job, "") if job else label or f"train-{secrets.token_hex(4)}"
    body = creating.request_body(
        image=image or str(config_value("vast.image")),
        disk=disk,
        label=mark,
        onstart=onstart or "",
        env=env,
        price=price,
    )
    with rental("vast", job or secrets.token_hex(8)) as note, creating.named_at_the_end(service, mark):
        row = creating.look_first(service, mark, note) if job or label is None else None
        if row is None:
            number = creating.rent(service, [{"id": offer}], body, note)
            row = creating.settled(service, number, note)
        found = rows.rented(row)
        return Created(id=int(found.id), instance=found, message=f"rented instance {found.id}")


def pick(
    service: Service, host: str, job: str | None, wanted: Wanted, rules: Rules, *, vet: float | None,
    hosts: dict[str, Any] | None,
) -> Verb:  # fmt: skip
    """Pick a machine for a host.

    With `vet`, wait until the machine runs, and measure it for at most `vet` seconds.
    """
    given = held.number_of_spec((hosts or {}).get(host))
    found = picking.pick(service, host, job, wanted, rules, given)
    if vet is not None:
        found, _ = accepting.vetted(service, int(found["id"]), PATIENCE, vet, job)
    row = rows.started(found)
    words = (
        f"{host} is instance {row.id}: {row.gpu_count}x {row.gpu}, {row.state}, ${row.price_per_hour:.3f} an hour"
    )
    return Verb(hosts={host: f"{held.PREFIX}{row.id}"}, instance=row, message=words)


def wait(
    service: Service, numbers: list[int], hosts: dict[str, Any] | None, patience: accepting.Patience, *,
    vet: float | None, limits: Limits | None, job: str | None,
) -> Verb:  # fmt: skip
    """Wait until each instance accepts a login, and arm its limits.

    Return the recipe's hosts whose machines they are.
    """
    answered: dict[str, str] = {}
    found: list[Rented] = []
    words = []
    for number in numbers:
        names = [name for name, spec in (hosts or {}).items() if held.number_of_spec(spec) == number]
        raw, target = accepting.vetted(service, number, patience, vet, job)
        row = rows.rented(raw)
        _, as_host = labels.holder(raw.get("label"))
        for name in names or ([as_host] if as_host else []):
            answered[name] = f"{held.PREFIX}{row.id}"
        own = accepting.armed(raw, target, limits, job)
        place = f"{target.argv[-1]}:{target.argv[target.argv.index('-p') + 1]}"
        words.append(f"instance {row.id} is ready: {place}" + (f"; {own}" if own else ""))
        found.append(row)
    return Verb(hosts=answered, instance=found[-1], instances=found, message="\n".join(words))


def estimate(service: Service, wanted: Wanted, *, create: bool) -> Estimate:
    """What `pick` would take now.

    It is the best of the rented instances that fit. If none fits and `pick` may rent, it is the cheapest offer.
    """
    mine, _ = picking.candidates(service, wanted, None)
    market = [] if mine or not create else bad_machines.good(offers.search(service, wanted, "price", COUNTED))
    best = next(iter(mine or market), None)
    if best is None:
        return Estimate(offers=0, disk=wanted.disk, description="no offer fits now")
    kind = "instance" if mine else "offer"
    disk = float(best["disk_space"]) if mine else wanted.disk
    words = f"{kind} {best['id']}: {best['num_gpus']}x {best['gpu_name']}, {best.get('geolocation') or ''}"
    return Estimate(
        offers=len(mine or market), price_per_hour=round(float(best["dph_total"]), 6), disk=disk,
        storage_per_hour=round(float(best.get("storage_total_cost") or 0.0), 6), description=words.rstrip(", "),
    )  # fmt: skip
