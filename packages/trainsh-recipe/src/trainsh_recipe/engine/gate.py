"""Keeps machines for a limited time after a failure, or until a required output has arrived."""

import contextlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from trainsh_base.errors import TrainError
from trainsh_base.system.units import format_duration
from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.machines import Machines
from trainsh_recipe.engine.outside.cancellation import Cancel
from trainsh_recipe.engine.run import Run
from trainsh_recipe.plan.document import Transfer
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store import rented
from trainsh_recipe.store.jobs import short
from trainsh_recipe.store.journal import seconds_of, stamp
from trainsh_recipe.store.words import ended

TICK = 1.0  # seconds between two checks whether a hold (a time in which machines are kept) must end
HEARD = 60.0  # seconds between two requests to a kept host, which tell the host that this runner is alive
HEARD_LIMIT = 5.0
# seconds before the first retry of a required transfer, and before any later one at most
FIRST_RETRY, LONGEST_RETRY = 5.0, 300.0
GIVEN_UP = {
    "over": "the hold time is over", "cancelled": "cancelled", "abandoned": "abandoned",
    "limit": "a limit of the job was reached",
}  # fmt: skip


class Gate:
    """Keeps machines for a limited time, called a hold.

    `again(step, attempt)` tries a transfer again and returns whether it succeeded. `release` turns the job's
    sessions into ordinary shells, which a person can use.
    """

    def __init__(
        self, run: Run, machines: Machines, again: Callable[[Numbered, int], bool], release: Callable[[], None]
    ) -> None:
        self._run, self._machines, self._again, self._release = run, machines, again, release
        self._heard = 0.0

    # Required outputs

    def before_release(self, at: Attempt, verb: str, hosts: list[str]) -> str:
        """Wait until the required outputs of `hosts` have arrived, but at most for the time of their `hold`.

        Returns "" if all outputs have arrived. Otherwise returns a text about the outputs that were given up, which
        becomes the reason of the step. Raises Leave.
        """
        lost = self.missing(hosts)
        if not lost:
            return ""
        why = self._given_up_before() or self._hold_for(at, verb, hosts, lost)
        if why == "arrived":
            return ""
        steps = ", ".join(each.id for each in lost)
        return f"the required output of step {steps} was given up: {GIVEN_UP[why]}"

    def missing(self, hosts: list[str]) -> list[Numbered]:
        """Return the required transfers from `hosts` whose output has not arrived.

        A host on which no step ran has no such transfers.
        """
        run, found = self._run, []
        given_up = set(run.state.given_up)
        for each in run.numbers:
            step = each.step
            if not isinstance(step, Transfer) or step.source.host not in hosts or each.id in given_up:
                continue
            required = run.values.truth(step.options.required) and each.id not in run.state.arrived
            if required and self._used(step.source.host):
                found.append(each)
        return found

    def _used(self, host: str) -> bool:
        steps = self._run.state.steps
        return any(
            each.id in steps and steps[each.id].status != "skipped"
            for each in self._run.numbers if host in self._run.sessions.hosts_of(each)
        )  # fmt: skip

    def _given_up_before(self) -> str:
        run = self._run
        if run.state.options.abandon or Path(run.job.abandoned).exists():
            return "abandoned"
        return "limit" if run.limits.reached else ""

    def _hold_for(self, at: Attempt, verb: str, hosts: list[str], lost: list[Numbered]) -> str:
        run = self._run
        own = [run.values.seconds(each.step.options.hold) for each in lost]
        longest = run.state.options.hold or max(seconds or run.values.default("run.hold") for seconds in own)
        return self._hold("required", longest, hosts, lost, at.pause, verb)

    def _tried(self, lost: Iterable[Numbered]) -> list[Numbered]:
        """Return those steps of `lost` that ran and failed.

        The other steps did not run, because another step had failed.
        """
        steps = self._run.state.steps
        return [each for each in lost if each.id in steps and steps[each.id].status in ("failed", "timeout")]

    # After a failure

    def after_failure(self, seconds: float, hosts: list[str]) -> None:
        """Keep the machines of a failed job (`hosts`) for `seconds`. Raises Leave."""
        if not self._given_up_before():
            self._hold("failed", seconds, hosts, [], self._wait, "")

    def _wait(self, seconds: float) -> bool:
        with self._run.signals.waiting():
            self._run.cancellation.pause(seconds)
        if self._run.cancellation.leaving is not None:
            raise self._run.cancellation.leaving
        return False

    # Holding

    def _hold(
        self, reason: str, seconds: float, hosts: list[str], lost: list[Numbered], wait: Callable[[float], bool],
        verb: str,
    ) -> str:  # fmt: skip
        """Keep the machines until the hold ends. An earlier process may have begun the hold.

        Returns why the hold ended: "arrived" or a key of GIVEN_UP.
        """
        run, steps = self._run, [each.id for each in lost]
        before = run.state.held
        text = before.until if before and before.reason == reason else stamp(time.time() + seconds)
        until = seconds_of(text)
        earlier = run.cancellation.accepted
        run.record("hold.started", sync=True, reason=reason, until=text, hosts=hosts, steps=steps)
        try:
            self._release()
        except Cancel as cancel:  # a Cancel that comes before the wait begins ends the hold too
            run.cancellation.accept(cancel)
        run.view.log("\n".join(self._told(reason, verb, hosts, lost, until)))
        why = self._until(until, hosts, lost, wait, earlier)
        given_up = [] if why == "arrived" else [each.id for each in self.missing(hosts)] if lost else []
        run.record("hold.ended", sync=True, why=why, given_up=given_up)
        done = "the required output has arrived" if why == "arrived" else GIVEN_UP[why]
        run.view.log(f"{', '.join(hosts)} is kept no longer: {done}")
        return why

    def _until(
        self, until: float, hosts: list[str], lost: list[Numbered], wait: Callable[[float], bool],
        earlier: Cancel | None,
    ) -> str:  # fmt: skip
        """Wait until the hold ends, and return why.

        `earlier` is the Cancel that was accepted before the hold, or None.
        """
        run, cancellation = self._run, self._run.cancellation
        pause, retry = FIRST_RETRY, time.time() + FIRST_RETRY
        while True:
            try:
                if wait(max(0.0, min(TICK, until - time.time()))):
                    return "cancelled"
                if lost and time.time() >= retry and not earlier:
                    for each in self._tried(self.missing(hosts)):
                        self._again(each, run.state.steps[each.id].attempt + 1)
                    pause = min(pause * 2, LONGEST_RETRY)
                    retry = time.time() + pause
            except Cancel as cancel:
                cancellation.accept(cancel)
            if cancellation.cancelling is not earlier:
                if cancellation.accepted is earlier and cancellation.cancelling is not None:
                    cancellation.accept(cancellation.cancelling)
                return "limit" if run.limits.reached else "cancelled"
            if lost and not self.missing(hosts):
                return "arrived"
            if Path(run.job.abandoned).exists() or run.limits.reached:
                return "abandoned" if Path(run.job.abandoned).exists() else "limit"
            if time.time() >= until:
                return "over"
            self._be_heard(hosts)

    def _be_heard(self, hosts: list[str]) -> None:
        """Send each host a request every HEARD seconds.

        Without requests, the host's watchdog would assume that the runner has died.
        """
        if time.monotonic() - self._heard < HEARD:
            return
        self._heard = time.monotonic()
        for host in hosts:
            with contextlib.suppress(TrainError):
                self._machines.holds(self._run.values.host(host), [], [], HEARD_LIMIT)

    def _told(self, reason: str, verb: str, hosts: list[str], lost: list[Numbered], until: float) -> list[str]:
        """Return the lines of the message that a person sees when a hold begins."""
        id = short(self._run.job.id)
        where = ", ".join(hosts)
        at = time.strftime("%H:%M", time.localtime(until))
        left = format_duration(max(0.0, until - time.time()))
        kept = f"{where} is kept for {left} (until {at}){self._price(hosts)}"
        look = [f"  look around: train recipe attach {id}"] if self._sessions(hosts) else []
        if reason == "failed":
            return [f"The job has failed. {kept}", *look, f"  to continue at once: train recipe cancel {id}"]
        lines = [f"{verb} waits, because a required output has not arrived. This output would be lost:"]
        for each in lost:
            lines.append(f"  step {each.id}: {each.step.text} ({self._end_of(each)})")
        return [*lines, f"  {kept}", *look, f"  to give it up and continue: train recipe abandon {id}"]

    def _sessions(self, hosts: list[str]) -> bool:
        return any(each.open and each.host_name in hosts for each in self._run.state.sessions.values())

    def _end_of(self, each: Numbered) -> str:
        step = self._run.state.steps.get(each.id)
        return "it has not run" if step is None else ended(step.status, step.reason)

    def _price(self, hosts: list[str]) -> str:
        machines = [each for each in self._run.state.instances.values() if set(each.hosts) & set(hosts)]
        return "".join(
            f", at {rented.money(each.per_hour, each.currency)} an hour"
            f" ({rented.money(each.per_hour / 60, each.currency)} a minute)"
            for each in rented.total(machines, time.time()) if each.per_hour
        )  # fmt: skip
