"""The answers of `create`, `pick` and `wait` to people and to recipes."""

import secrets
from typing import Any

from trainsh_base.provider.rental import rental
from trainsh_base.system.configuration.config import config_value
from trainsh_vast.api.service import Service
from trainsh_vast.market.wanted import Wanted
from trainsh_vast.model import Created, Rented, Verb
from trainsh_vast.rented import held, labels, rows
from trainsh_vast.verbs import creating, picking, waiting


def create(
    service: Service, offer: int, *, image: str | None, disk: float, label: str | None, onstart: str | None,
    env: dict[str, str] | None, price: float | None, job: str | None,
) -> Created:  # fmt: skip
    """Rent an offer. With `job`, returns the instance that the job already holds instead of renting a second
    one."""
    # Without a job or a label, a random label is set, by which the instance is found if the answer is lost.
    mark = labels.marked(label, job, "") if job else label or f"train-{secrets.token_hex(4)}"
    body = creating.request_body(
        image=image or str(config_value("vast.image")),
        disk=disk,
        label=mark,
        onstart=onstart or "",
        env=env,
        price=price,
    )
    with rental("vast", job or secrets.token_hex(8)) as note:
        row = creating.look_first(service, mark, note) if job or label is None else None
        if row is None:
            number = creating.rent(service, [{"id": offer}], body, note)
            row = creating.settled(service, number, note)
    found = rows.rented(row)
    return Created(id=int(found.id), instance=found, message=f"rented instance {found.id}")


def pick(
    service: Service, host: str, job: str | None, wanted: dict[str, Any], *, auto: bool, create: bool,
    image: str | None, limit: int, max_dph: float | None, hosts: dict[str, Any] | None,
) -> Verb:  # fmt: skip
    """Pick a machine for a host."""
    rules = picking.Rules(
        auto=auto,
        create=create,
        image=image or str(config_value("vast.image")),
        limit=max(1, limit),
        max_dph=max_dph,
    )
    given = held.number_of_spec((hosts or {}).get(host))
    row = rows.started(picking.pick(service, host, job, Wanted(**wanted), rules, given))
    words = (
        f"{host} is instance {row.id}: {row.gpu_count}x {row.gpu}, {row.state}, ${row.price_per_hour:.3f} an hour"
    )
    return Verb(hosts={host: f"{held.PREFIX}{row.id}"}, instance=row, message=words)


def wait(
    service: Service,
    numbers: list[int],
    hosts: dict[str, Any] | None,
    *,
    timeout: float,
    poll: float,
    stop_on_fail: bool,
) -> Verb:
    """Wait for each instance, and return which hosts of the recipe they are."""
    answered: dict[str, str] = {}
    found: Rented | None = None
    words = []
    for number in numbers:
        row, target = waiting.wait(service, number, timeout=timeout, poll=poll, stop_on_fail=stop_on_fail)
        found = rows.rented(row)
        _, as_host = labels.holder(row.get("label"))
        names = [name for name, spec in (hosts or {}).items() if held.number_of_spec(spec) == number]
        for name in names or ([as_host] if as_host else []):
            answered[name] = f"{held.PREFIX}{number}"
        words.append(f"instance {number} is ready: {target.argv[-1]}:{target.argv[target.argv.index('-p') + 1]}")
    return Verb(hosts=answered, instance=found, message="; ".join(words))
