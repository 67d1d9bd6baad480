"""`tool.verb ...`: sessions opened and closed, and the verbs of any other tool."""

from typing import Any

from trainsh_base.errors import TrainError, UsageError
from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.values import truth
from trainsh_recipe.plan.document import Control, Ref, Text
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store.state import ENDS

VERB_MARGIN = 30.0  # seconds that the runner's own limit lies beyond a verb's


def control(at: Attempt, step: Control) -> Outcome:
    """Do it."""
    if step.tool == "tmux" and step.verb == "open":
        return _open(at, step)
    if step.tool == "tmux" and step.verb == "close":
        return _close(at, step)
    return _verb(at, step)


def _open(at: Attempt, step: Control) -> Outcome:
    run = at.run
    spec = run.values.host(step.host)
    params = {"host": spec, "name": step.session, "job": run.job.id}
    if spec == "local":
        params["cwd"] = run.state.cwd
    answer = at.ask("tmux", "open", params, run.values.seconds(step.options.timeout))
    fresh = bool(answer.get("fresh"))
    known = run.state.sessions.get(step.session)
    if fresh:
        run.fresh.add(step.session)
        if known is not None:
            _say_fresh(at, step.session)
    run.record(
        "session", session=step.session, host=spec, host_name=step.host, fresh=fresh, state="open",
        offset=answer.get("offset"),
    )  # fmt: skip
    for note in answer.get("notes", []):
        run.view.log(note)
    return Outcome(status="ok")


def _say_fresh(at: Attempt, session: str) -> None:
    """What was set up in the session before is not there any more; say which steps did that."""
    steps = at.run.state.steps
    before = [each for each in at.run.numbers if getattr(each.step, "session", "") == session and each.id in steps]
    done = [each.id for each in before if steps[each.id].kind == "execute" and steps[each.id].over]
    if done and not at.numbered.closing:
        at.run.view.log(
            f"session {session} had to be opened anew: directory, exports and activations of before are gone "
            f"(steps {', '.join(done[:8])}{' ...' if len(done) > 8 else ''}); to run them again: "
            f"train recipe resume {at.run.job.id} --from {done[0]}"
        )


def _close(at: Attempt, step: Control) -> Outcome:
    run = at.run
    session = run.state.sessions.get(step.session)
    if session is None or not session.open:
        return Outcome(status="ok", reason="it was not open")
    reason = ""
    if session.host_name in run.state.stopped:
        reason = f"{session.host_name} is stopped"
    else:
        params = {"session": step.session, "host": session.host, "job": run.job.id}
        answer = at.ask("tmux", "close", params, run.values.seconds(step.options.timeout))
        reason = "" if answer.get("done") == "closed" else str(answer.get("done", ""))
    run.record("session", session=step.session, state="closed")
    return Outcome(status="ok", reason=reason)


# Verbs of other tools


def _verb(at: Attempt, step: Control) -> Outcome:
    run = at.run
    ours = about(run.numbers, step)
    given = run.state.overrides.get("hosts", {})
    others = [name for name in ours if name in given and not given[name].startswith(step.tool + ":")]
    if ours and len(others) == len(ours):
        note = f"{step.tool}.{step.verb} is left out: --host {others[0]}={given[others[0]]}"
        return Outcome(status="skipped", reason=note)
    schema = run.tools.schema(step.tool)
    if schema and step.verb not in schema:
        raise UsageError(
            f"train-{step.tool} has no verb {step.verb!r}", f"it has: {', '.join(schema)}", code="no_verb"
        )
    entry = schema.get(step.verb)
    params = _params(at, step, entry)
    limit = run.values.seconds(step.options.timeout)
    if limit is None and "timeout" in params and isinstance(params["timeout"], (int, float, str)):
        limit = (run.values.seconds([str(params["timeout"])]) or 0.0) + VERB_MARGIN
    repeatable = bool(entry and entry.get("ensures"))
    ask = at.ask if repeatable else at.ask_once
    answer = ask(step.tool, step.verb, params, limit)
    said = bind(at, step.tool, answer)
    if ours:
        state = "stopped" if step.verb in ENDS else "running"
        if state == "stopped" or any(name in run.state.stopped for name in ours):
            run.record("hosts", hosts=ours, state=state)
    return Outcome(status="ok", reason=said)


def about(numbers: list[Numbered], step: Control) -> list[str]:
    """The hosts that a verb is about: those it names, else all that its tool's verbs name in this recipe."""
    if step.host:
        return [arg.host for arg in step.args if isinstance(arg, Ref) and arg.host] or [step.host]
    found: list[str] = []
    for each in numbers:
        if isinstance(each.step, Control) and each.step.tool == step.tool:
            found += [arg.host for arg in each.step.args if isinstance(arg, Ref) and arg.host]
    return list(dict.fromkeys(found))


def _params(at: Attempt, step: Control, entry: dict[str, Any] | None) -> dict[str, Any]:
    values = at.run.values
    properties = (entry or {}).get("params", {}).get("properties", {}) if entry else {}
    words = [_word(at, arg) for arg in step.args]
    params: dict[str, Any] = {
        key: typed(values.plain(text), properties.get(key)) for key, text in step.params.items()
    }
    for key, texts in step.lists.items():
        params[key] = [values.plain(text) for text in texts]
    if properties:
        places = [
            key for key, schema in properties.items() if isinstance(schema, dict) and schema.get("x-positional")
        ]
        params |= _placed(step, words, places, properties)
    elif words:
        params["args"] = words
    reserved: dict[str, Any] = {"_job": at.run.job.id, "_step": at.name, "_hosts": values.known_hosts()}
    if at.resuming:
        reserved["_resuming"] = True
    for key, value in reserved.items():
        if not properties or key in properties:
            params[key] = value
    return params


def _word(at: Attempt, arg: Text | Ref) -> str:
    if isinstance(arg, Ref):
        return arg.host or arg.storage or arg.session or at.run.values.plain([arg])
    return at.run.values.plain(arg)


def _placed(step: Control, words: list[str], places: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    """The words in the places of the verb's positional parameters; a last one that is a list takes the rest."""
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
    """A word as the type that the parameter's JSON Schema asks for; the word itself where none does."""
    kinds = _types(schema)
    if not kinds or "string" in kinds:
        return text
    if "boolean" in kinds:
        return truth(text)
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


def bind(at: Attempt, tool: str, answer: Any) -> str:
    """Take what an answer binds for the steps that follow; returns its message."""
    if not isinstance(answer, dict):
        return ""
    run = at.run
    bound: dict[str, dict[str, str]] = {}
    for key in ("hosts", "storages", "vars"):
        found = answer.get(key)
        if isinstance(found, dict) and found:
            bound[key] = {str(name): str(value) for name, value in found.items()}
            given = run.state.overrides.get(key, {})
            for name in set(bound[key]) & set(given):
                run.view.log(f"{name} stays {given[name]}, as the command line says")
    instance = answer.get("instance")
    if isinstance(instance, dict) and instance.get("id") is not None:
        run.record("instance", sync=True, **{"provider": tool, **_safe(instance)})
    if bound:
        run.record("binding", sync=True, tool=tool, **bound)
    message = answer.get("message")
    return str(message) if message else ""


def _safe(instance: dict[str, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in instance.items() if key not in ("t", "event")}


def ensures(at_tools: Any, step: Control) -> bool:
    """Whether repeating the verb only makes sure of a state, as its tool says."""
    if step.tool == "tmux":
        return step.verb == "open"
    try:
        entry = at_tools.schema(step.tool).get(step.verb)
    except TrainError:
        return False
    return bool(entry and entry.get("ensures"))
