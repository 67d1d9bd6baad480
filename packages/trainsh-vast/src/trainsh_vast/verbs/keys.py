"""The ssh keys of the account and of single instances."""

from trainsh_vast.api.service import Row, Service
from trainsh_vast.model import Attached, Key
from trainsh_vast.rented import endpoint


def listed(service: Service, number: int | None) -> list[Key]:
    """The keys of the instance `number`, or of the account if `number` is None."""
    found = service.keys() if number is None else service.instance_keys(number)
    return [
        Key(id=int(row.get("id") or 0), key=_text(row), created=str(row.get("created_at") or "")) for row in found
    ]


def attach(service: Service, number: int | None, file: str | None) -> Attached:
    """Add the local key to the instance `number`, or to the account if `number` is None.

    Do nothing if the key is there already.
    """
    text, path = endpoint.public_key(file)
    found = service.keys() if number is None else service.instance_keys(number)
    there = any(_same(_text(row), text) for row in found)
    if not there and number is None:
        service.add_key(text)
    elif not there and number is not None:
        service.attach_key(number, text)
    return Attached(key=text, file=str(path), instance=number, was_there=there)


def _text(row: Row) -> str:
    return str(row.get("public_key") or row.get("key") or row.get("ssh_key") or "").strip()


def _same(one: str, other: str) -> bool:
    """Whether two lines hold the same key. Comments in the lines are ignored."""
    return one.split()[:2] == other.split()[:2]
