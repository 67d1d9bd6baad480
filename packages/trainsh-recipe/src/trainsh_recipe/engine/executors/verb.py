"""`tool.verb ...`: verbs of any tool except tmux.open and tmux.close."""

from collections.abc import Callable
from typing import Any

import msgspec

from trainsh_base.errors import TrainError, UsageError
from trainsh_base.remote.host_spec import parse_spec
from trainsh_base.system.units import parse_truth
from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.outside.tools import Tools
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.engine.values import Values
from trainsh_recipe.plan.document import Control, Ref, Text
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.state import ENDS, State

RESOLVE_LIMIT = 60.0
VERB_MARGIN = 30.0  # seconds by which the runner's limit exceeds the verb's own timeout


class VerbExecutor:
    """Calls verbs of tools according to their schema, and binds what they answer. `record` writes an event."""

    def __init__(
        self, values: Values, state: State, tools: Tools, numbers: list[Numbered], view: View,
        record: Callable[..., None],
    ) -> None:  # fmt: skip
        self._values, self._state, self._tools, self._numbers = values, state, tools, numbers
        self._view, self._record = view, record

    def run(self, at: Attempt, step: Control) -> Outcome:
        """Call the verb; skipped if the command line gives its host another machine."""
        ours = about(self._numbers, step)
        given = self._state.overrides.get("hosts", {})
        others = [name for name in ours if name in given and not given[name].startswith(step.tool + ":")]
        if ours and len(others) == len(ours):
            note = f"{step.tool}.{step.verb} is left out: --host {others[0]}={given[others[0]]}"
            return Outcome(status="skipped", reason=note)
        schema = self._tools.schema(step.tool)
        if schema and step.verb not in schema:
            raise UsageError(
                f"train-{step.tool} has no verb {step.verb!r}", f"it has: {', '.join(schema)}", code="no_verb"
            )
        entry = schema.get(step.verb)
        answer = self._call(at, step, entry)
        said = self._bind(step.tool, answer)
        if ours:
            state = "stopped" if releases(entry, step.verb) else "running"
            if state == "stopped" or any(name in self._state.stopped for name in ours):
                self._record("hosts", hosts=ours, state=state)
        return Outcome(status="ok", reason=said)

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
        reserved: dict[str, Any] = {
            "_job": self._state.id, "_step": at.name, "_hosts": self._values.known_hosts()
        }  # fmt: skip
        if at.resuming:
            reserved["_resuming"] = True
        return params | {key: value for key, value in reserved.items() if not properties or key in properties}

    def _word(self, arg: Text | Ref) -> str:
        if isinstance(arg, Ref):
            return arg.host or arg.storage or arg.session or self._values.plain([arg])
        return self._values.plain(arg)

    def _text(self, tool: str, key: str, value: Any, answer: dict[str, Any]) -> str:
        """A bound value as text. An ssh host becomes a complete target; only safe ssh options are accepted."""
        if not isinstance(value, str):
            return msgspec.json.encode(value).decode()
        if key != "hosts" or value.startswith("{") or parse_spec(value).form != "ssh":
            return value
        instance = answer.get("instance")
        id = instance.get("id") if isinstance(instance, dict) else None
        params = {"name": value, "from_tool": True, "machine": f"{tool}-{id if id is not None else value}"}
        target = self._tools.peer("host").request("resolve", params, timeout=RESOLVE_LIMIT)
        return msgspec.json.encode(target).decode()

    def _bind(self, tool: str, answer: Any) -> str:
        """Bind hosts, storages and variables from an answer for later steps; returns the answer's message."""
        if not isinstance(answer, dict):
            return ""
        bound: dict[str, dict[str, str]] = {}
        for key in ("hosts", "storages", "vars"):
            found = answer.get(key)
            if isinstance(found, dict) and found:
                bound[key] = {str(name): self._text(tool, key, value, answer) for name, value in found.items()}
                given = self._state.overrides.get(key, {})
                for name in set(bound[key]) & set(given):
                    self._view.log(f"{name} stays {given[name]}, as the command line says")
        instance = answer.get("instance")
        if isinstance(instance, dict) and instance.get("id") is not None:
            self._record("instance", sync=True, **{"provider": tool, **_safe(instance)})
        if bound:
            self._record("binding", sync=True, tool=tool, **bound)
        message = answer.get("message")
        return str(message) if message else ""


def releases(entry: dict[str, Any] | None, verb: str) -> bool:
    """Whether the verb stops or ends something that costs money, by its schema or else by its name."""
    return bool(entry["releases"]) if entry and "releases" in entry else verb in ENDS


def about(numbers: list[Numbered], step: Control) -> list[str]:
    """The hosts that a verb acts on: those it names, else all that verbs of its tool name in this recipe."""
    if step.host:
        return [arg.host for arg in step.args if isinstance(arg, Ref) and arg.host] or [step.host]
    found: list[str] = []
    for each in numbers:
        if isinstance(each.step, Control) and each.step.tool == step.tool:
            found += [arg.host for arg in each.step.args if isinstance(arg, Ref) and arg.host]
    return list(dict.fromkeys(found))


def _placed(step: Control, words: list[str], places: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    """Map the words to the positional parameters; if the last one is a list, it takes all remaining words."""
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
    """Convert a word to the type in the parameter's JSON Schema; without a type the word itself."""
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


def _safe(instance: dict[str, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in instance.items() if key not in ("t", "event")}


def ensures(tools: Tools, step: Control) -> bool:
    """Whether the verb only ensures a state, so that it may be repeated; the tool's schema says so."""
    if step.tool == "tmux":
        return step.verb == "open"
    try:
        entry = tools.schema(step.tool).get(step.verb)
    except TrainError:
        return False
    return bool(entry and entry.get("ensures"))
