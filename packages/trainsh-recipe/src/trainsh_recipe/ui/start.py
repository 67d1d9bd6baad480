"""Runs a recipe or a resumed job, in the foreground or detached, for the commands."""

import math
from pathlib import Path

import msgspec

from trainsh_base.errors import UsageError
from trainsh_base.request import current
from trainsh_base.system.configuration.config import config_value
from trainsh_recipe import prestart
from trainsh_recipe.engine.job import held_job
from trainsh_recipe.engine.job import source as sources
from trainsh_recipe.engine.job.held_job import HeldJob
from trainsh_recipe.engine.values import Secrets, Values, any_secret
from trainsh_recipe.model import JobReport, Planned
from trainsh_recipe.plan.document import Plan
from trainsh_recipe.store.options import Limited, Overrides, RunOptions
from trainsh_recipe.ui import foreground, reports
from trainsh_recipe.ui.interrupt_menu import menu

Answer = tuple[JobReport | list[Planned], int]  # what the command returns, and its exit status


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is shown: not at all if detached, live, or as lines with or without the output of the steps."""

    detach: bool = False
    visual: bool = True
    output: bool = True


def run(
    path: Path, overrides: Overrides, *, pick_host: list[str], dry_run: bool, limits: Limited, shown: Shown
) -> Answer:
    """Run the recipe in a file or, with `dry_run`, show what it would do.

    The limits of config.toml apply where `limits` has none.
    """
    _check(limits)
    options = RunOptions(
        overrides=overrides, hold=limits.hold,
        max_time=_limit(limits.max_time, "run.max_time"), max_cost=_limit(limits.max_cost, "run.max_cost"),
    )  # fmt: skip
    source = sources.from_file(path)
    if pick_host:
        from trainsh_recipe.ui.picking import pick  # noqa: PLC0415 - for --pick-host only

        overrides.setdefault("hosts", {}).update(map(pick, pick_host))
    parsed = sources.parse(source, overrides)
    sources.fill_storages(parsed.plan, overrides)
    if dry_run or shown.detach:
        from trainsh_recipe.engine.job import named_hosts  # noqa: PLC0415 - the view shows it otherwise

        unknown = named_hosts.unknown(parsed.plan, overrides)
    if dry_run:
        from trainsh_recipe.engine.job.described import rehearse  # noqa: PLC0415 - for --dry-run only

        for each in unknown:
            foreground.say(f"warning: {each.message}\n  {each.hint}")
        return rehearse(parsed.plan, source, overrides), 0
    if shown.detach:
        for each in unknown:
            raise each  # nobody would see the job fail
    secrets = _secrets(parsed.plan, overrides)
    held = held_job.begin(source, parsed, options)
    held.secrets = secrets
    return _detached(held) if shown.detach else _in_front(held, shown)


def resume(
    word: str | None, *, check: bool, from_step: str | None, retry_lost: bool, edited: bool,
    hosts: dict[str, str], limits: Limited, abandon: bool, shown: Shown,
) -> Answer:  # fmt: skip
    """Continue a job or, with `check`, show what a resume would do."""
    from trainsh_recipe.engine.job import taking_up  # noqa: PLC0415 - a new run does without
    from trainsh_recipe.engine.resuming import choice  # noqa: PLC0415 - as above

    _check(limits)
    job, state = choice.choose(word)
    continues = prestart.lock_handle >= 0  # another process gave us the job
    wanted = taking_up.Wanted(
        from_step=from_step,
        retry_lost=retry_lost,
        edited=edited,
        limits=limits,
        abandon=abandon,
        hosts=hosts,
        locked=not check,
        secrets_first=not check,
    )
    held = taking_up.take_up(job, state, wanted)
    if not edited and not continues:
        _say_changed(held, f" --from {from_step}" if from_step else "")
    if check and current().for_people:
        foreground.say(f"job {job.short_id}, {held.name}:")
    if shown.detach and not check:
        _say_changed_sources(held)
        return _detached(held)
    view = foreground.choose_view(current(), visual=shown.visual, show_output=shown.output)
    runner = foreground.make_runner(held, view, menu)
    if check:
        from trainsh_recipe.engine.forecast import Forecast  # noqa: PLC0415 - for --check only

        return Forecast(runner).rows(), 0
    state, status = foreground.carry_out(held, runner)
    return reports.job_report(held.job, state), status


def _secrets(plan: Plan, overrides: Overrides) -> Secrets | None:
    """Look up the secrets of a recipe before its job begins. Raises UsageError if one is missing."""
    if not any_secret(plan, overrides):
        return None
    from trainsh_recipe.engine.job import secrets_ahead  # noqa: PLC0415 - most recipes have no secret

    return secrets_ahead.look_up(secrets_ahead.needed(plan, overrides))


def _say_changed(held: HeldJob, options: str) -> None:
    from trainsh_recipe.engine.job import editing  # noqa: PLC0415 - a new run does without

    line = editing.changed(held.job, held.state, options)
    if line and current().for_people:
        foreground.say(line)


def _say_changed_sources(held: HeldJob) -> None:
    """Tell which finished transfers would send something else now. The runner in the background has no terminal."""
    from trainsh_recipe.engine.resuming.changed_source import ChangedSources  # noqa: PLC0415 - as above
    from trainsh_recipe.plan.numbering import all_of  # noqa: PLC0415 - as above

    sources = ChangedSources(Values(held.plan, held.state, held.secrets or Secrets.of({})), held.job.short_id)
    for told in filter(None, map(sources.told, all_of(held.plan))):
        foreground.say(told)


def _limit(given: float | None, setting: str) -> float | None:
    if given is not None:
        return given
    value = config_value(setting)
    return None if value is None else float(value)


def _check(limits: Limited) -> None:
    if limits.max_cost is not None and not 0 < limits.max_cost < math.inf:
        raise UsageError(f"--max-cost must be above 0, not {limits.max_cost:g}", code="bad_amount")


def _detached(held: HeldJob) -> tuple[JobReport, int]:
    from trainsh_recipe.engine.job import detach  # noqa: PLC0415 - for --detach only

    detach.give(held)
    foreground.say(f"job {held.job.short_id} runs in the background: train recipe watch {held.job.short_id}")
    return reports.job_report(held.job, held.job.state()), 0


def _in_front(held: HeldJob, shown: Shown) -> tuple[JobReport, int]:
    view = foreground.choose_view(current(), visual=shown.visual, show_output=shown.output)
    state, status = foreground.carry_out(held, foreground.make_runner(held, view, menu))
    return reports.job_report(held.job, state), status
