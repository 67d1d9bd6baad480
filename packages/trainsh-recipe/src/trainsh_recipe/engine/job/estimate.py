"""The estimate of `show --cost`: what a recipe would rent now, and what its longest run would cost.

The timeouts of the steps tell how long the longest run is.
"""

from pathlib import Path
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_base.system.configuration.config import config_value
from trainsh_base.system.units import parse_duration
from trainsh_base.tool.peer import call, find
from trainsh_recipe.engine.executors.verb import about, releases, typed
from trainsh_recipe.engine.job import source as sources
from trainsh_recipe.engine.outside.tools import printed_schema
from trainsh_recipe.engine.values import Secrets, Values
from trainsh_recipe.model import RecipeCost, StepCost
from trainsh_recipe.plan.document import Control, Execute, Parallel, Sleep, Transfer, Wait
from trainsh_recipe.plan.numbering import Numbered, all_of, every, numbered
from trainsh_recipe.store.options import RunOptions
from trainsh_recipe.store.state import State

ASK_LIMIT = 60.0  # seconds within which a provider must answer with an estimate


def estimated(path: Path, given: dict[str, str], max_time: float | None) -> RecipeCost:
    """Ask the provider of each renting step what it would rent now; nothing is rented."""
    source = sources.from_file(path)
    overrides = {"vars": given} if given else {}
    document = sources.parse(source, overrides).plan
    values = Values(document, State(options=RunOptions(overrides=overrides)), Secrets(lambda name: ""))
    steps, closing = numbered(document)
    times = Times(values, [*steps, *closing], max_time)
    machines = []
    for each in all_of(document):
        step = each.step
        if isinstance(step, Control) and step.tool != "tmux":
            entry = times.schema(step.tool).get(step.verb) or {}
            if entry.get("rents"):
                machines.append(times.cost(each, step, entry))
    return RecipeCost(machines=machines, unlimited=list(times.unlimited))


class Times:
    """Computes how long a recipe's steps may take at most. `unlimited` lists texts about what has no limit."""

    def __init__(self, values: Values, steps: list[Numbered], max_time: float | None) -> None:
        self._values, self._steps = values, steps
        self._all = every(steps)
        self._limit = max_time if max_time is not None else config_value("run.max_time")
        self._most = config_value("run.max_cost")
        self._schemas: dict[str, dict[str, Any]] = {}
        self.unlimited: dict[str, None] = {}

    def schema(self, tool: str) -> dict[str, Any]:
        """Return the commands of a tool from its schema, or {} if it has none."""
        if tool not in self._schemas:
            self._schemas[tool] = printed_schema(find(tool))
        return self._schemas[tool]

    def cost(self, each: Numbered, step: Control, entry: dict[str, Any]) -> StepCost:
        """Return the estimate of one renting step."""
        hosts = about(self._all, step)
        found: dict[str, Any] = {"step": each.id, "text": step.text, "hosts": hosts}
        answer, note = self._asked(step, entry)
        if answer is None:
            return StepCost(offers=0, description="", currency="USD", note=note, **found)
        longest, price = self._longest(each, step, entry), answer.get("price_per_hour")
        if longest is None and self._limit is None:
            note = "no upper bound: a step has no limit; see --max-time and --max-cost"
        elif longest is None or (self._limit is not None and self._limit < longest):
            longest = self._limit
        most = None if price is None or longest is None else float(price) * longest / 3600
        if self._most is not None and (most is None or most > self._most):
            most, note = self._most, "run.max_cost cancels the job there"
        return StepCost(
            offers=int(answer.get("offers") or 0), description=str(answer.get("description") or ""),
            currency=str(answer.get("currency") or "USD"), price_per_hour=None if price is None else float(price),
            storage_per_hour=float(answer.get("storage_per_hour") or 0), disk=float(answer.get("disk") or 0),
            longest=longest, most=most, note=note, **found,
        )  # fmt: skip

    def _asked(self, step: Control, entry: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
        """Return (the provider's estimate, ""), or (None, the reason why there is no estimate)."""
        commands = self.schema(step.tool)
        name = next((name for name, one in commands.items() if one.get("estimates") == step.verb), "")
        if not name:
            return None, f"train-{step.tool} gives no estimate for {step.verb}"
        declared = commands[name].get("params", {}).get("properties", {})
        own = entry.get("params", {}).get("properties", {})
        params: dict[str, Any] = {
            key: typed(self._values.shown(text), declared.get(key, own.get(key)))
            for key, text in step.params.items()
        }
        params |= {key: [self._values.shown(text) for text in texts] for key, texts in step.lists.items()}
        try:
            asked = {key: value for key, value in params.items() if key in declared}
            answer = call(step.tool, name, asked, timeout=ASK_LIMIT)
        except TrainError as error:
            return None, error.message
        return answer if isinstance(answer, dict) else {}, ""

    # The longest time

    def _longest(self, each: Numbered, step: Control, entry: dict[str, Any]) -> float | None:
        """Return the most seconds from a renting step to the last release of its machine, or None if unlimited.

        The time for which the machine may be kept (`hold`) is included.
        """
        top = each.id.partition(".")[0]
        at = next(place for place, one in enumerate(self._steps) if one.id == top)
        ends = [place for place, one in enumerate(self._steps) if place > at and self._releases(one, step.tool)]
        if not ends:
            self.unlimited[f"no step releases the machine that step {each.id} rents"] = None
            return None
        times = [self._time(one) for one in self._steps[at : ends[-1] + 1]]
        return None if None in times else sum(filter(None, times)) + self._held(step, entry)

    def _releases(self, each: Numbered, tool: str) -> bool:
        found = [one.step for one in every([each]) if isinstance(one.step, Control) and one.step.tool == tool]
        return any(releases(self.schema(tool).get(step.verb), step.verb) for step in found)

    def _held(self, step: Control, entry: dict[str, Any]) -> float:
        """Return the seconds for which the machine is kept after a failure or for a required output."""
        properties = entry.get("params", {}).get("properties", {})
        holds = [
            parse_duration(self._values.shown(text)) for key, text in step.params.items()
            if properties.get(key, {}).get("x-holds")
        ]  # fmt: skip
        for one in self._all:
            if isinstance(one.step, Transfer) and self._values.truth(one.step.options.required):
                holds.append(self._values.seconds(one.step.options.hold) or self._values.default("run.hold"))
        return sum(holds)

    def _time(self, each: Numbered) -> float | None:
        step, values = each.step, self._values
        if isinstance(step, Parallel):
            times = [self._time(child) for child in each.children]
            return None if None in times else max(filter(None, times), default=0.0)
        if isinstance(step, Execute) and step.background:
            return 0.0
        once = values.seconds(step.options.timeout)
        if once is None:
            if isinstance(step, Execute):
                once = values.default("recipe.timeout")
            elif isinstance(step, Wait):
                once = values.default("recipe.wait_timeout")
            elif isinstance(step, Sleep):
                once = values.seconds(step.seconds)
            elif isinstance(step, Control):
                once = self._verb_time(step)
            elif isinstance(step, Transfer):
                self.unlimited[f"step {each.id} has no timeout=: {step.text}"] = None
                return None
        tries = values.count(step.options.retry)
        delay = values.seconds(step.options.retry_delay) or 1.0
        pauses: float = sum(delay * 2.0**number for number in range(min(tries, 30)))
        return (once or 0.0) * (tries + 1) + pauses

    def _verb_time(self, step: Control) -> float:
        """Return the seconds of a verb's `timeout`: the one in the step, else the verb's default.

        A verb without a timeout answers at once, and counts as 0.
        """
        if step.tool == "tmux":
            return 0.0
        entry = self.schema(step.tool).get(step.verb) or {}
        default = entry.get("params", {}).get("properties", {}).get("timeout", {}).get("default")
        text = step.params.get("timeout", default)
        if text is None:
            return 0.0
        return parse_duration(self._values.shown(text) if isinstance(text, (str, list)) else text)
