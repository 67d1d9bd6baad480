"""Runs the steps `tool.verb ...` of any tool, except tmux.open and tmux.close."""

from collections.abc import Callable
from typing import Any

from trainsh_base.errors import TrainError, UsageError
from trainsh_base.system.units import parse_duration, parse_truth
from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.executors.answers import Answers, text_of
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.outside.limits import Limits
from trainsh_recipe.engine.outside.tools import SUITE, Tools
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.engine.values import Values
from trainsh_recipe.plan.document import Control, Ref, Text
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.rented import STOPPED
from trainsh_recipe.store.state import ENDS, State

LIMITS = ("max_cost", "max_time", "idle_stop")  # the runner sets these parameters if their schema has `x-limits`
NOTHING = "no_instance"  # the error code by which a provider says that it found no machine
VERB_MARGIN = 30.0  # seconds that the runner waits for a verb in addition to the verb's own timeout


class VerbExecutor:
    """Calls verbs of tools according to the tools' schemas, and keeps the answers. `record` writes an event.

    `before_release(attempt, verb, hosts)` waits for required outputs, and returns a text about what was given up,
    or "".
    """

    def __init__(
        self, values: Values, state: State, tools: Tools, numbers: list[Numbered], view: View,
        record: Callable[..., None], limits: Limits, before_release: Callable[[Attempt, str, list[str]], str],
    ) -> None:  # fmt: skip
        self._values, self._state, self._tools, self._numbers = values, state, tools, numbers
        self._record, self._limits, self._before_release = record, limits, before_release
        self._answers = Answers(state, tools, view, record)

    def run(self, at: Attempt, step: Control) -> Outcome:
        """Call the verb. If the command line gives another machine for the step's host, the step is skipped."""
        ours = about(self._numbers, step)
        given = self._state.overrides.get("hosts", {})
        others = [name for name in ours if name in given and not given[name].startswith(step.tool + ":")]
        if ours and len(others) == len(ours):
            note = f"{step.tool}.{step.verb} is skipped, because of --host {others[0]}={given[others[0]]}"
            return Outcome(status="skipped", reason=note)
        schema = self._tools.schema(step.tool)
        if schema and step.verb not in schema:
            raise UsageError(
                f"train-{step.tool} has no verb {step.verb!r}", f"it has: {', '.join(schema)}", code="no_verb"
            )
        entry = schema.get(step.verb)
        releasing, given_up = releases(entry, step.verb), ""
        if releasing:
            given_up = self._before_release(at, f"{step.tool}.{step.verb}", self._released(step, ours))
            at.keeps_on = at.numbered.closing
        try:
            answer = self._call(at, step, entry)
        except TrainError as error:
            if error.code == NOTHING and releasing and at.numbered.closing and self._never_rented(step.tool):
                return Outcome(status="ok", reason=f"nothing was held: {error.message}")
            raise
        said = self._answers.bind(step.tool, answer, ours)
        at.output(text_of(answer))
        if ours and (releasing or any(name in self._state.stopped for name in ours)):
            more = {"disk": True} if (entry or {}).get("releases") == "disk" and not _keeps_disk(answer) else {}
            self._record("hosts", hosts=ours, state="stopped" if releasing else "running", **more)
        return Outcome(status="ok", reason="; ".join(filter(None, (said, given_up))))

    def _never_rented(self, tool: str) -> bool:
        """Return whether this job, according to its journal, never rented a machine of the tool.

        This is so if three things are true. The journal has no machine of the tool. No host is such a machine. Each
        step that rents one has failed, was skipped, or has not begun; an interrupted step may have rented one.
        """
        if any(machine.provider == tool for machine in self._state.instances.values()):
            return False
        if any(str(spec).startswith(f"{tool}:") for spec in self._values.known_hosts().values()):
            return False
        schema = self._tools.schema(tool)
        renting = [
            each.id for each in self._numbers
            if isinstance(each.step, Control) and each.step.tool == tool
            and (schema.get(each.step.verb) or {}).get("rents")
        ]  # fmt: skip
        steps = self._state.steps
        return all(steps[each].status in ("failed", "skipped") for each in renting if each in steps)

    def _released(self, step: Control, ours: list[str]) -> list[str]:
        """Return the hosts on which a releasing verb acts.

        Without arguments, the verb also acts on all hosts of its tool.
        """
        if step.args:
            return ours
        provided = [name for name, place in self._values.plan.hosts.items() if place.provider == step.tool]
        return list(dict.fromkeys([*ours, *provided]))

    def held_by(self) -> tuple[float, list[str]]:
        """Look at the finished steps that rent machines, and return two values of them.

        These are the longest `hold` in seconds, and the hosts of these steps that are not stopped yet.
        """
        longest, hosts = 0.0, []
        for each in self._numbers:
            step, done = each.step, self._state.steps.get(each.id)
            if not isinstance(step, Control) or step.tool == "tmux" or done is None or done.status != "ok":
                continue
            entry = self._tools.schema(step.tool).get(step.verb) or {}
            names = [key for key in step.params if entry.get("rents") and _flag(entry, key, "x-holds")]
            if names:
                longest = max([longest, *(parse_duration(self._values.plain(step.params[key])) for key in names)])
                hosts += [name for name in about(self._numbers, step) if name not in self._state.stopped]
        return longest, list(dict.fromkeys(hosts))

    def _call(self, at: Attempt, step: Control, entry: dict[str, Any] | None) -> Any:
        params = self._params(at, step, entry)
        limit = self._values.seconds(step.options.timeout)
        if limit is None and "timeout" in params and isinstance(params["timeout"], (int, float, str)):
            limit = (self._values.seconds([str(params["timeout"])]) or 0.0) + VERB_MARGIN
        ask = at.ask if entry and entry.get("ensures") else at.ask_once
        return ask(step.tool, step.verb, params, limit)

    def _params(self, at: Attempt, step: Control, entry: dict[str, Any] | None) -> dict[str, Any]:
        properties = (entry or {}).get("params", {}).get("properties", {}) if entry else {}
        words = [self._word(arg) for arg in step.args]
        params: dict[str, Any] = {
            key: typed(self._values.plain(text), properties.get(key)) for key, text in step.params.items()
        }
        for key, texts in step.lists.items():
            params[key] = [self._values.plain(text) for text in texts]
        if properties:
            places = [
                key for key, schema in properties.items() if isinstance(schema, dict) and schema.get("x-positional")
            ]
            params |= _placed(step, words, places, properties)
        elif words:
            params["args"] = words
        params |= {key: value for key, value in self._handed(step, properties).items() if key not in params}
        reserved: dict[str, Any] = {
            "_job": self._state.id, "_step": at.name, "_hosts": self._values.known_hosts()
        }  # fmt: skip
        if at.resuming:
            reserved["_resuming"] = True
        return params | {key: value for key, value in reserved.items() if not properties or key in properties}

    def _handed(self, step: Control, properties: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters that the runner adds: the job's limits and, for tools of SUITE, also hosts,
        storages and cwd.
        """
        limits = {key: self._limits.handed(key, self._hosts_rented()) for key in LIMITS if key in properties}
        found = {
            key: typed(text, properties[key]) for key, text in limits.items()
            if text and properties[key].get("x-limits")
        }  # fmt: skip
        if step.tool in SUITE:
            values = self._values
            places = {
                "hosts": values.known_hosts(),
                "storages": values.known_storages(),
                "cwd": self._state.cwd,
            }
            found |= {key: place for key, place in places.items() if key in properties}
        return found

    def _hosts_rented(self) -> int:
        """Return the number of hosts for which the recipe rents a machine, at least 1."""
        hosts: set[str] = set()
        for each in self._numbers:
            if isinstance(each.step, Control) and each.step.tool != "tmux":
                entry = self._tools.schema(each.step.tool).get(each.step.verb) or {}
                if entry.get("rents") and entry.get("fills"):
                    hosts.update(arg.host for arg in each.step.args if isinstance(arg, Ref) and arg.host)
        return max(1, len(hosts))

    def _word(self, arg: Text | Ref) -> str:
        if isinstance(arg, Ref):
            return arg.host or arg.storage or arg.session or self._values.plain([arg])
        return self._values.plain(arg)


def _flag(entry: dict[str, Any], key: str, flag: str) -> bool:
    """Return whether the schema of a verb (`entry`) sets `flag` for the parameter `key`."""
    properties = entry.get("params", {}).get("properties", {})
    return bool(properties.get(key, {}).get(flag))


def _keeps_disk(answer: Any) -> bool:
    """Return whether the answer of a verb says that the machine was only stopped and so keeps its disk."""
    machine = answer.get("instance") if isinstance(answer, dict) else None
    return isinstance(machine, dict) and machine.get("state") in STOPPED


def releases(entry: dict[str, Any] | None, verb: str) -> bool:
    """Return whether the verb stops or ends something that costs money.

    If the verb's schema does not tell, its name decides.
    """
    return bool(entry["releases"]) if entry and "releases" in entry else verb in ENDS


def about(numbers: list[Numbered], step: Control) -> list[str]:
    """Return the hosts that a verb acts on: those in its arguments, else those in all steps of the same tool."""
    if step.host:
        return [arg.host for arg in step.args if isinstance(arg, Ref) and arg.host] or [step.host]
    found: list[str] = []
    for each in numbers:
        if isinstance(each.step, Control) and each.step.tool == step.tool:
            found += [arg.host for arg in each.step.args if isinstance(arg, Ref) and arg.host]
    return list(dict.fromkeys(found))


def _placed(step: Control, words: list[str], places: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    """Map the words to the positional parameters. If the last parameter is a list, it takes all remaining words."""
    found: dict[str, Any] = {}
    for index, place in enumerate(places):
        if index >= len(words):
            break
        last = index == len(places) - 1
        if last and "array" in _types(properties[place]):
            found[place] = words[index:]
            return found
        found[place] = typed(words[index], properties[place])
    if len(words) > len(places):
        raise UsageError(
            f"{step.tool}.{step.verb} takes {len(places)} word{'' if len(places) == 1 else 's'}, got {len(words)}",
            code="too_many_words",
        )  # fmt: skip
    return found


def typed(text: str, schema: Any) -> Any:
    """Convert a word to the type in the parameter's JSON Schema. Without a type, the word is returned as it is."""
    kinds = _types(schema)
    if not kinds or "string" in kinds:
        return text
    if "boolean" in kinds:
        return parse_truth(text)
    if "array" in kinds:
        return [text]
    for kind, convert in (("integer", int), ("number", float)):
        if kind in kinds:
            try:
                return convert(text)
            except ValueError:
                continue
    return text


def _types(schema: Any) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    kind = schema.get("type")
    found = {kind} if isinstance(kind, str) else set(kind or ())
    for branch in schema.get("anyOf", ()):
        found |= _types(branch)
    return found - {"null"}


def ensures(tools: Tools, step: Control) -> bool:
    """Return whether the verb may be repeated because it only ensures a state (`ensures` in the tool's schema)."""
    if step.tool == "tmux":
        return step.verb == "open"
    try:
        entry = tools.schema(step.tool).get(step.verb)
    except TrainError:
        return False
    return bool(entry and entry.get("ensures"))
