"""Rents an offer at most once. The request sets a label.

If the answer is lost, the instance is found by its label.
"""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from trainsh_base.errors import Conflict, NotFound, RemoteError, Terminated, TrainError, Unreachable
from trainsh_base.provider.rental import Note
from trainsh_base.request import current
from trainsh_vast.api.errors import meaning
from trainsh_vast.api.service import Row, Service
from trainsh_vast.rented import labels

SETTLES = 45.0  # seconds after which a requested machine is in the list, if it was rented
LOOK = 2.0
LAST_LOOK = 5.0  # seconds for which a process that is being ended looks for a machine that it may have rented
UNKNOWN = frozenset(("server_error", "bad_answer", "unreachable", "too_many_requests"))
PORTS = "ssh_direc ssh_proxy"


def request_body(
    *,
    image: str,
    disk: float,
    label: str,
    onstart: str = "",
    env: dict[str, str] | None = None,
    price: float | None = None,
) -> dict[str, Any]:
    """The body of a request to rent, with direct ssh.

    If the GPU is taken, the service must not create a stopped contract.
    """
    return {
        "image": image, "disk": disk, "label": label, "onstart": onstart or None, "env": env or {}, "price": price,
        "runtype": PORTS, "cancel_unavail": True, "target_state": "running",
    }  # fmt: skip


def find_labelled(service: Service, label: str) -> Row | None:
    """The instance with this label, or with a label whose end names the same job and host."""
    holder = labels.holder(label)
    for row in service.instances():
        if row.get("label") == label or (holder != ("", "") and labels.holder(row.get("label")) == holder):
            return row
    return None


def look_first(service: Service, label: str, note: Note) -> Row | None:
    """The instance that an earlier attempt has rented, or None.

    If that attempt has sent a request, this function waits until the list would show the instance.
    """
    found = find_labelled(service, label)
    asked = note.asked_at()
    while found is None and asked is not None and time.time() < asked + SETTLES:
        current().emit("log", message="a machine was requested before; checking whether it was rented")
        # this pause must not end early by a cancel, because a second machine might then be rented later
        time.sleep(LOOK)
        found = find_labelled(service, label)
    if found is not None:
        note.settled()
    return found


@contextlib.contextmanager
def named_at_the_end(service: Service, label: str) -> Iterator[None]:
    """If the process is ended during the block, look for a machine with this label, and tell the user that it costs
    money.
    """
    try:
        yield
    except (Terminated, KeyboardInterrupt):
        deadline = time.time() + LAST_LOOK
        while time.time() < deadline:
            with contextlib.suppress(TrainError):
                found = find_labelled(service, label)
                if found is not None:
                    end = f"train vast destroy {found['id']}"
                    words = f"instance {found['id']} was rented and costs money; to end that: {end}"
                    current().emit("log", message=words)
                    break
            time.sleep(LOOK / 4)
        raise


def rent(service: Service, offers: list[Row], body: dict[str, Any], note: Note) -> int:
    """Rent the first of `offers` that is still available. Return the id of the new instance.

    Raises Conflict when all offers are gone.
    """
    tried = 0
    for offer in offers:
        tried += 1
        current().emit("progress", done=tried - 1, total=len(offers), message=f"renting offer {offer['id']}")
        note.asking()
        number = _rent(service, int(offer["id"]), body)
        if number is not None:
            return number
        current().emit("log", message=f"offer {offer['id']} is gone, trying the next one")
    note.settled()
    raise Conflict(
        "the offer is gone" if tried == 1 else f"all {tried} offers are gone", "search again: train vast search",
        code="offer_gone",
    )  # fmt: skip


def _rent(service: Service, offer: int, body: dict[str, Any]) -> int | None:
    """Rent one offer. Return the id of the new instance, or None if the offer is gone.

    All other errors are raised.
    """
    try:
        answer = service.create(offer, body)
    except TrainError as error:
        if error.code == "offer_gone":
            return None
        if error.code in UNKNOWN:
            return _recover(service, body["label"], error)
        raise
    number = answer.get("new_contract")
    if answer.get("success") is False:
        if number is not None:  # the GPU was taken, but a stopped contract was created, whose disk is billed
            _remove(service, int(number))
            return None
        raise meaning(200, answer, "", {})
    if number is None:
        return _recover(
            service, body["label"], RemoteError("Vast.ai's answer names no instance", code="bad_answer")
        )
    return int(number)


def _recover(service: Service, label: str, error: TrainError) -> int:
    """The id of an instance that is found by its label. The answer to the request to rent it was lost."""
    current().emit("log", message=f"the answer was lost ({error.message}); looking for the instance by its label")
    deadline = time.time() + SETTLES
    while True:
        try:
            found = find_labelled(service, label)
            if found is not None:
                return int(found["id"])
        except (RemoteError, Unreachable):
            pass
        if time.time() > deadline:
            raise RemoteError(
                f"it is not known whether a machine was rented: {error.message}",
                "check that before you try again: train vast list", code="unknown_outcome", data={"label": label},
            ) from None  # fmt: skip
        time.sleep(LOOK)


def _remove(service: Service, number: int) -> None:
    """Destroy a contract that has no GPU. Raises Conflict if this fails."""
    for pause in (0.5, 2.0, 5.0, 10.0, 0.0):
        try:
            service.destroy(number)
            return
        except NotFound:
            return
        except TrainError as error:
            problem = error
        time.sleep(pause)
    raise Conflict(
        f"instance {number} was created without a GPU, and its disk costs money: {problem.message}",
        f"destroy it: train vast destroy {number}", code="left_over",
    )  # fmt: skip


def settled(service: Service, number: int, note: Note) -> Row:
    """The row of a new instance. This waits up to 10 seconds until the service shows the instance."""
    for _ in range(10):
        row = service.instance(number)
        if row is not None:
            note.settled()
            return row
        time.sleep(1)
    raise RemoteError(
        f"instance {number} was rented, but Vast.ai does not list it",
        f"see: train vast show {number}",
        code="not_seen",
    )
