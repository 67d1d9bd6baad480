"""The commands for jobs that were started: logs, attach, watch, cancel, abandon, rm."""

from typing import Annotated

from msgspec import structs

from trainsh_base.errors import UsageError
from trainsh_base.request import current
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Handover, Opt
from trainsh_base.tool.display import fitted, remark
from trainsh_recipe.commands.listing import jobs_
from trainsh_recipe.commands.parameters import Abandon, JobArg, ShowOutput, Visual, tool
from trainsh_recipe.model import Executions, JobReport, LogReport, Removed
from trainsh_recipe.store import jobs
from trainsh_recipe.ui import logs as texts
from trainsh_recipe.ui import reports as report

_shown = (texts.Selection(), True)  # (which lines of the logs to print, whether to print headings)


def _show_logs(found: list[LogReport] | Executions) -> None:
    if isinstance(found, list):
        texts.show(found, _shown[0], headings=_shown[1])
        return
    report.show_jobs(found.jobs)
    if found.jobs:
        remark("The output of a job: train recipe logs JOB\nThat of the newest: train recipe logs --last")


@tool.command(show=_show_logs)
def logs(
    job: JobArg = None,
    last: Annotated[bool, Opt("show the newest job (the default if there is another option)")] = False,
    step: Annotated[str | None, Opt("show the output of this step only", metavar="N")] = None,
    follow: Annotated[bool, Opt("show new output too, until the job ends", short="-f")] = False,
    grep: Annotated[str | None, Opt("show only lines that match", metavar="REGEX")] = None,
    tail: Annotated[int | None, Opt("show only the last N lines of each step", metavar="N")] = None,
    since: Annotated[
        Duration | None, Opt("show only steps that still run or ended within this time", metavar="AGE")
    ] = None,
) -> list[LogReport] | Executions:
    """Show what the steps of a job printed: train recipe logs --last --tail 20

    Without arguments, list the newest jobs. If a progress bar redrew a line, only its last state is shown.
    """
    global _shown  # noqa: PLW0603 - how the people face shows it
    if job is not None and last:
        raise UsageError("pass JOB or --last, not both")
    if follow and (grep is not None or tail is not None or since is not None):
        raise UsageError(
            "--follow cannot be combined with --grep, --tail or --since", "train recipe logs --follow | grep ..."
        )
    if tail is not None and tail < 0:
        raise UsageError(f"--tail must be 0 or more, not {tail}")
    wanted = texts.Selection(pattern=texts.compiled(grep), tail=tail)
    if job is None and not (last or step or follow or grep is not None or tail is not None or since is not None):
        return Executions(jobs=jobs_())
    _shown = (wanted, step is None)
    from trainsh_recipe.store import finding  # noqa: PLC0415 - a run does without

    found = finding.find(job) if job is not None else finding.last()
    if follow and current().for_people:
        texts.follow_job(found, step)
        return []
    state = found.state()
    reports = texts.reports(found, state, step, since)
    if current().for_people:
        if reports and step is None and grep is None:
            print(fitted(texts.title(found, state)))
        if not reports:
            remark("No step has run, or none within that time. See: train recipe jobs")
        return reports
    return [structs.replace(each, text=texts.text(each, wanted)) for each in reports]


@tool.command()
def attach(
    job: JobArg = None,
    session: Annotated[
        str | None, Opt("the session (default: the one of the running step)", metavar="NAME")
    ] = None,
) -> Handover:
    """Attach the terminal to a job's tmux session on its host; C-b d detaches."""
    from trainsh_recipe.ui import remote_control  # noqa: PLC0415 - for jobs of other processes

    return remote_control.attach(remote_control.choose(job), session)


@tool.command(show=lambda _: None, status=lambda answer: 0 if answer.status in ("ok", "running") else 1)
def watch(job: JobArg = None, visual: Visual = True, output: ShowOutput = True) -> JobReport:
    """Show a job that runs in the background, until it ends. Ctrl-C stops the display, not the job."""

    from trainsh_recipe.ui import remote_control  # noqa: PLC0415 - for jobs of other processes

    return remote_control.show(remote_control.choose(job), visual=visual, show_output=output)


@tool.command(show=lambda answer: print(f"job {jobs.short(answer.id)} {answer.status}"))
def cancel(job: JobArg = None, abandon: Abandon = False) -> JobReport:
    """Cancel the running job, or an interrupted one by its id: its running step is ended, then finally runs.

    If a machine is kept because the job failed or a required output has not arrived, cancelling the job releases
    the machine.
    """

    from trainsh_recipe.ui import remote_control  # noqa: PLC0415 - for jobs of other processes

    found = remote_control.cancel(job, abandon=abandon)
    return report.job_report(found, found.state())


@tool.command(show=lambda answer: print(f"job {jobs.short(answer.id)}: its required outputs were given up"))
def abandon(job: JobArg = None) -> JobReport:
    """Give up a job's required outputs that have not arrived, so that its machines can be released.

    \b
    train recipe abandon 5f01
    """
    from trainsh_recipe.ui import remote_control  # noqa: PLC0415 - for jobs of other processes

    found = remote_control.abandon(job)
    return report.job_report(found, found.state())


def _show_removed(found: list[Removed]) -> None:
    for each in found:
        print(f"removed {each.name}")
    if not found:
        remark("Nothing was removed: no job is over, or none for that long.")


@tool.command(show=_show_removed)
def rm(
    name: Annotated[
        list[str], Arg("ids of jobs (or the ends of ids), and names of recipes", metavar="JOB|RECIPE", kind="job")
    ] = [],  # noqa: B006
    older_than: Annotated[
        Duration | None, Opt("remove every job that ended longer ago than this", metavar="AGE")
    ] = None,
    all_: Annotated[bool, Opt("remove every job that is over")] = False,
    yes: Annotated[bool, Opt("do not ask", short="-y")] = False,
) -> list[Removed]:
    """Remove jobs (journals and logs), or recipes by name: train recipe rm --older-than 30d

    Files that jobs left on hosts stay there. A running job is refused; --older-than and --all also skip
    interrupted jobs.
    """
    from trainsh_recipe.ui import removing  # noqa: PLC0415 - for one command

    return removing.remove(removing.meant(name, older_than=older_than, all_=all_), yes=yes)
