"""One rented machine: the request by which it was rented, and its state."""

import secrets
from typing import Any

from trainsh_sandbox.instances.machine import Machine
from trainsh_sandbox.instances.usage import Usage
from trainsh_sandbox.market.offers import Offer, priced


class Instance:
    """A contract for a rented machine.

    Its four states have the same meaning as on the real service. `machine` is the real sshd behind the contract, or
    None.
    """

    def __init__(self, number: int, offer: Offer, request: dict[str, Any], now: float) -> None:
        self.id = number
        self.offer = offer
        self.key = secrets.token_hex(32)
        self.image = str(request.get("image") or "pytorch/pytorch:latest")
        self.disk = float(request.get("disk") or 8.0)
        self.label: str | None = request.get("label") or None
        self.runtype = str(request.get("runtype") or "ssh")
        self.env = {str(key): str(value) for key, value in (request.get("env") or {}).items()}
        self.onstart = str(request.get("onstart") or "")
        self.bid: float | None = None if request.get("price") is None else float(request["price"])
        self.created = now
        self.end_date = float(offer["end_date"])
        self.started: float | None = None
        self.cur = self.next = self.intended = "running"
        self.actual: str | None = None
        self.message = ""
        self.listed_at = now
        self.queued = False
        self.run = 0  # the number of starts; an event that was scheduled before the last start must be ignored
        self.direct = True
        self.machine: Machine | None = None
        self.key_rows: list[dict[str, Any]] = []
        prices = priced(offer, self.disk, now)
        self.usage = Usage(now, prices["storage_total_cost"], offer["inet_up_cost"], offer["inet_down_cost"])

    @property
    def gpu_price(self) -> float:
        """The price in $/h while the instance runs.

        For an interruptible instance it is the bid, otherwise the price of the offer.
        """
        return float(self.offer["dph_base"]) if self.bid is None else self.bid

    @property
    def is_jupyter(self) -> bool:
        """Whether this is an instance with Jupyter.

        For such an instance, the service reports the port of its proxy one too low.
        """
        return "jupyter" in self.runtype

    def set_states(self, state: str) -> None:
        """Set the actual and the intended state to `running` or `stopped`."""
        self.cur = self.next = self.intended = state

    def ssh_keys(self) -> list[str]:
        """The public keys of the instance."""
        return [str(row["public_key"]) for row in self.key_rows]
