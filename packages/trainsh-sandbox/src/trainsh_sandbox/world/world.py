"""The account and everything that the account rents. Events run in the order of the sandbox's time."""

import heapq
import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainsh_sandbox.faults.switches import Faults
from trainsh_sandbox.instances.instance import Instance
from trainsh_sandbox.instances.usage import Usage
from trainsh_sandbox.market.offers import Market
from trainsh_sandbox.world.clock import Clock

Action = Callable[["World", Instance, Any], None]


class World:
    """The whole state of a sandbox.

    `folder` has the disks of the machines. If `image` is None, instances have no machine behind them. `on_broke` is
    called for every instance when the credit is used up. Before you read or change anything here, hold `lock` and
    call `settle`.
    """

    def __init__(
        self, folder: Path, *, clock: Clock, market: Market, key: str, on_broke: Action, credit: float = 100.0,
        image: Path | None = None, environment: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.clock = clock
        self.market = market
        self.key = key
        self.image = image
        self.environment = environment or {}
        self._on_broke = on_broke
        self.faults = Faults()
        self.lock = threading.RLock()
        self.instances: dict[int, Instance] = {}
        self.ended: list[tuple[int, str | None, Usage]] = []  # the ledgers of destroyed instances
        self.account_keys: list[dict[str, Any]] = []
        self.deposit = credit
        # path of a URL -> (text of the log, how many requests are still refused)
        self.logs: dict[str, tuple[str, int]] = {}
        self.numbers = itertools.count(27_000_001)
        self.key_numbers = itertools.count(501)
        self._events: list[tuple[float, int, Instance, int, Action, Any]] = []
        self._sequence = itertools.count()
        self._time = clock.now()
        self._broke = False

    @property
    def now(self) -> float:
        """The time up to which all events have run."""
        return self._time

    def after(self, one: Instance, seconds: float, action: Action, argument: Any = None) -> None:
        """Schedule `action` for an instance.

        It is dropped if the instance is started or stopped before that time.
        """
        event = (self._time + seconds, next(self._sequence), one, one.run, action, argument)
        heapq.heappush(self._events, event)

    def settle(self) -> float:
        """Run all events that are due, in order. Return the current time."""
        target = self.clock.now()
        while True:
            due = self._events[0][0] if self._events else float("inf")
            broke = self._broke_at()
            if min(due, broke) > target:
                break
            if broke < due:
                self._time = max(self._time, broke)
                self._stop_all()
                continue
            at, _, one, run, action, argument = heapq.heappop(self._events)
            self._time = max(self._time, at)
            if one.run == run:
                action(self, one, argument)
        self._time = max(self._time, target)
        self.market.move(self._time)
        return self._time

    def _broke_at(self) -> float:
        """The time at which the credit will be used up at the current rate."""
        rate = sum(one.usage.rate for one in self.instances.values()) / 3600
        if self._broke or rate <= 0:
            return float("inf")
        return self._time + max(0.0, self.credit) / rate

    def _stop_all(self) -> None:
        self._broke = True
        for one in list(self.instances.values()):
            self._on_broke(self, one, "the account has no credit")

    @property
    def spent(self) -> float:
        """The total cost until now, in $."""
        usages = [one.usage for one in self.instances.values()] + [usage for _, _, usage in self.ended]
        return sum(usage.cost(self._time) for usage in usages)

    @property
    def credit(self) -> float:
        """The remaining credit, in $."""
        return self.deposit - self.spent

    def pay_in(self, amount: float) -> None:
        """Add to the credit."""
        self.deposit += amount
        self._broke = self.credit <= 0

    @property
    def is_broke(self) -> bool:
        """Whether the credit is used up."""
        return self._broke

    def close(self) -> None:
        """Stop every machine."""
        for one in list(self.instances.values()):
            if one.machine:
                one.machine.destroy()
