"""Texts on how a job ended: the report of a failed step, the summary, what still costs money."""

import sys

from trainsh_base.system.units import format_duration
from trainsh_base.tool.display import fitted, paint
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.plan.numbering import Numbered
from trainsh_recipe.store import rented
from trainsh_recipe.store.jobs import short
from trainsh_recipe.store.state import State
from trainsh_recipe.store.words import WORDS, ended


def failure(step: Numbered, outcome: Outcome, file: str) -> str:
    """Return the report that a person sees when a step fails."""
    reason, _, hints = outcome.reason.partition("\n")
    what = f"step {step.id} {ended(outcome.status, reason or f'exit {outcome.exit}')}"
    where = f"{file}:{step.step.span.line}:"
    lines = [f"{paint(where, '1;31', sys.stderr)} {fitted(what, len(where) + 1)}"]
    lines += [f"  {line}" for line in step.step.text.split("\n")[:6]]
    lines += [fitted(f"  {line}") for line in hints.split("\n") if line]
    if outcome.tail:
        lines += ["  last lines of its output:", *(f"  | {line}" for line in outcome.tail)]
    return "\n".join(lines)


def summary(state: State) -> str:
    """Return a line about a job that is over, and after a failure also where to look and how to continue."""
    line = ending(state)
    if state.status == "cancelled" and state.reason.startswith(("--max-cost", "--max-time")):
        return line + f"\n  to continue: train recipe resume {short(state.id)} {_more(state)}"
    if state.status != "failed":
        return line
    if any(session.open and session.host_name not in state.stopped for session in state.sessions.values()):
        line += f"\n  look around in its session: train recipe attach {short(state.id)}"
    again, flags = f"train recipe resume {short(state.id)}", _flags(state)
    line += f"\n  to continue: {again}{flags}"
    sent = _sent(state)
    if sent:
        line += f"\n  once you have edited what step {sent} sent (a resume does not send it again): {again} --check"
    edited = state.file and not flags  # if there are flags, the failure is not about the text of the recipe
    return line + (f"\n  once you have edited the recipe: {again} --edited" if edited else "")


def _sent(state: State) -> str:
    """Return the last step that sent files of this machine, if a command or a wait failed after it; else ""."""
    steps = [step for step in state.steps.values() if not step.closing]
    failed = any(step.kind in ("execute", "wait") and step.over and not step.done for step in steps)
    sent = [each.id for each in steps if each.kind == "transfer" and each.status == "ok" and each.text[:1] != "@"]
    return sent[-1] if sent and failed else ""


def ending(state: State) -> str:
    """Return a text that tells how the job ended, and how long it took."""
    word = WORDS.get(state.status, state.status)
    reason = f": {state.reason}" if state.reason and state.status != "ok" else ""
    return f"job {short(state.id)} {word} in {format_duration(state.seconds)}{reason}"


def _more(state: State) -> str:
    """Return an option for a resume: twice the limit that ended the job."""
    options = state.options
    if state.reason.startswith("--max-cost"):
        return f"--max-cost {2 * (options.max_cost or 0):g}"
    return f"--max-time {format_duration(2 * (options.max_time or 0)).replace(' ', '')}"


def _flags(state: State) -> str:
    """Return the options that a resume needs to get past this failure."""
    if state.resume_from:
        return f" --from {state.resume_from}"
    lost = any(step.status == "lost" and not step.closing for step in state.steps.values())
    return " --retry-lost" if lost else ""


def unnoticed(state: State) -> list[str]:
    """Return, for a successful job, a line for each background step that failed or may still run."""
    lines = []
    for step in state.steps.values() if state.status == "ok" else []:
        session, look = state.sessions.get(step.session), f"train logs {short(state.id)} --step {step.id}"
        if step.status == "ok" and step.known == "failed":
            lines.append(f"step {step.id} failed in the background (exit {step.exit}), and no wait noticed: {look}")
        elif step.known == "background" and session is not None and session.open:
            lines.append(
                f"step {step.id} may still run in the background on {session.where}: "
                f"train recipe attach {short(state.id)}"
            )
    return lines


def _command(*words: str) -> str:
    import shlex  # noqa: PLC0415 - for machines that are billed only

    return shlex.join(words)


def billing(state: State) -> list[str]:
    """Return a line for each machine that is still billed, with its price and the command that ends the billing."""
    lines = []
    for each in state.instances.values():
        verb = "stop" if each.running else "destroy"
        end = each.end or _command("train", each.provider, verb, each.id)
        cost = f" at {rented.money(each.rate, each.currency)} an hour" if each.rate else ""
        if each.running:
            lines.append(
                f"{paint(f'{each.provider} {each.id} is still {each.state}{cost}:', '1;31', sys.stderr)} {end}"
            )
        elif each.rate:
            lines.append(f"{each.provider} {each.id} is {each.state}; its disk is kept{cost}; to delete it: {end}")
    return lines
