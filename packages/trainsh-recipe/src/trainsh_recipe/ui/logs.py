"""Shows the output of a job's steps."""

import codecs
import re
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.printable import visible
from trainsh_base.system.step_numbers import file_number
from trainsh_base.system.units import format_duration
from trainsh_base.tool.display import fitted, paint, terminal_width
from trainsh_base.tool.table import cut
from trainsh_recipe.model import LogReport
from trainsh_recipe.store import growing, jobs
from trainsh_recipe.store.journal import seconds_of
from trainsh_recipe.store.state import State, StepState
from trainsh_recipe.store.step_log import plain_text
from trainsh_recipe.store.words import ended
from trainsh_recipe.ui.reports import step_report, when

BLOCK = 1 << 16
LONGEST = 1 << 20
WELL = ("ok", "skipped", "running", "background")
SESSIONS = ".local/state/tmux-trainsh/sessions"  # below the home on a host (docs/sessions.md)


def reports(job: jobs.Job, state: State, step: str | None, since: float | None = None) -> list[LogReport]:
    """Return the logs of the steps that ran, in order. Raises NotFound for a step that has not run.

    With `since` (seconds), only logs of steps that still run, or that ended at most that long ago.
    """
    if step is not None and step not in state.steps:
        ran = ", ".join(state.steps) or "none"
        raise NotFound(f"job {job.short_id} has run no step {step}", f"it has run {ran}", code="no_step")
    earliest = time.time() - since if since is not None else 0.0
    found = []
    for each in sorted(state.steps.values(), key=lambda one: [int(part) for part in one.id.split(".")]):
        late = not each.over or not each.ended or seconds_of(each.ended) >= earliest
        if late and (step is None or each.id == step):
            found.append(_report(job, state, each))
    return found


def _report(job: jobs.Job, state: State, step: StepState) -> LogReport:
    document = step_report(job, state, step)
    return LogReport(
        step=step.id, title=step.text.split("\n")[0], path=job.log(file_number(step.id)),
        status=document.status, started=step.started, seconds=step.seconds, exit=step.exit, reason=document.reason,
        parts=step.parts, more=_more(job, state, step),
    )  # fmt: skip


def _more(job: jobs.Job, state: State, step: StepState) -> str:
    """Return a text that tells where to find output of a background step, if no wait of the job has shown it."""
    session = state.sessions.get(step.session)
    if step.known not in ("background", "failed") or step.status != "ok" or session is None:
        return ""
    if state.status == "running":
        return "its output is shown by the steps and waits that follow it"
    look = f", and in its session: train recipe attach {job.short_id}" if session.open else ""
    return f"all of its output is on {session.where}: ~/{SESSIONS}/train-{job.id}/{session.name}/log.*{look}"


class Selection(msgspec.Struct, frozen=True):
    """Which lines of each log to show: those that match `pattern`, and of these the last `tail` lines.

    If `tail` is given, only the output of the last attempt is shown.
    """

    pattern: re.Pattern[str] | None = None
    tail: int | None = None


def text(report: LogReport, wanted: Selection) -> str:
    """Return the selected lines of a log, as plain text."""
    return "".join(line for part in _parts(report, wanted) for line in _lines(part, wanted))


def show(found: list[LogReport], wanted: Selection, *, headings: bool) -> None:
    """Print each log under a heading that tells how the step ended.

    With a pattern, print the step before each line. If the heading is cut, the whole reason is printed below it.
    """
    for report in found:
        if wanted.pattern is None and headings:
            line = heading(report)
            shown = cut(line, terminal_width()) if sys.stdout.isatty() else line
            print(paint(shown, "1" if report.status in WELL else "1;31", sys.stdout))
            if shown != line and report.reason and visible(report.reason.split("\n")[0]) not in shown:
                print(fitted(visible(report.reason.split("\n")[0])))
        if wanted.pattern is None and report.more:
            print(report.more, file=sys.stdout if headings else sys.stderr)
        for part in _parts(report, wanted):
            if part.attempt and wanted.pattern is None:
                sys.stdout.flush()
                print(f"-- attempt {part.attempt}", file=sys.stdout if headings else sys.stderr, flush=True)
            end = "\n"
            for line in _lines(part, wanted):
                sys.stdout.write(f"{report.step}: {line}" if wanted.pattern else line)
                end = line[-1]
            if end != "\n" and headings:
                print()


def title(job: jobs.Job, state: State) -> str:
    """Return which job's logs follow, for example `job 5f01: finetune, failed: step 3 failed: exit 9`."""
    return f"job {job.short_id}: {visible(state.name)}, {visible(ended(state.status, state.reason))}"


def heading(report: LogReport) -> str:
    """Return a heading, for example `== step 3  failed: exit 9, at 2026-11-27 14:18:12, in 1.0s  @work > make`."""
    how = ended(report.status, "" if report.status in WELL else report.reason)
    at = f", at {when(report.started)}" if report.started else ""
    took = f", in {format_duration(report.seconds)}" if report.seconds else ""
    return f"== step {report.step}  {visible(how)}{at}{took}  {visible(report.title)}"


class _Part(msgspec.Struct, frozen=True):
    """A part of a log file, the output of one attempt. `attempt` is 0 if the log has only one part."""

    path: Path
    attempt: int = 0
    first: int = 0
    end: int | None = None  # the offset after its last byte; None means the end of the file


def _parts(report: LogReport, wanted: Selection) -> list[_Part]:
    """Return the parts of the log to show: all parts or, with `tail`, the last one."""
    path = Path(report.path)
    if not report.parts:
        return [_Part(path)]
    ends = [*(offset for _, offset in report.parts[1:]), None]
    found = [_Part(path, attempt, offset, end) for (attempt, offset), end in zip(report.parts, ends, strict=True)]
    return found if wanted.tail is None else [msgspec.structs.replace(found[-1], attempt=0)]


def _lines(part: _Part, wanted: Selection) -> Iterable[str]:
    """Return the selected lines of a part of a log, each with its newline."""
    pattern = wanted.pattern
    lines: Iterable[str] = _whole(_Blocks(part), cut=pattern is not None)
    if pattern is not None:
        lines = (line.rstrip("\n") + "\n" for line in lines if pattern.search(line.rstrip("\n")))
    return lines if wanted.tail is None else deque(lines, maxlen=wanted.tail)


def _whole(blocks: Iterable[str], *, cut: bool) -> Iterator[str]:
    """Split blocks into lines. If carriage returns overwrote a line, only its last version is yielded.

    With `cut`, only the end of a line longer than LONGEST is yielded; without it, the line is yielded in pieces.
    """
    rest = ""
    for block in blocks:
        *lines, rest = (rest + block).split("\n")
        for line in lines:
            yield _final_frame(line) + "\n"
        if "\r" in rest:
            rest = _final_frame(rest) + ("\r" if rest.endswith("\r") else "")
        if len(rest) > LONGEST:
            if not cut:
                yield rest
            rest = rest[-LONGEST:] if cut else ""
    if rest:
        yield _final_frame(rest)


def _final_frame(line: str) -> str:
    return line.rstrip("\r").rpartition("\r")[2] if "\r" in line else line


class _Blocks:
    """Iterates over a part of a log in blocks of plain text."""

    def __init__(self, part: _Part) -> None:
        self._part = part

    def __iter__(self) -> Iterator[str]:
        plain, decoder = plain_text(), codecs.getincrementaldecoder("utf-8")("replace")
        try:
            with self._part.path.open("rb") as file:
                at = file.seek(self._part.first)
                while block := file.read(BLOCK if self._part.end is None else min(BLOCK, self._part.end - at)):
                    at += len(block)
                    yield plain.feed(decoder.decode(block))
        except FileNotFoundError:
            return
        yield plain.feed(decoder.decode(b"", True)) + plain.flush()


def compiled(pattern: str | None) -> re.Pattern[str] | None:
    """Compile the pattern of `--grep`. Raises UsageError if it is not valid."""
    if pattern is None:
        return None
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UsageError(f"not a regular expression: {pattern!r}: {error}", code="bad_pattern") from None


def follow_job(job: jobs.Job, step: str | None) -> None:
    """Print the logs as they grow, until the job's runner ends."""
    plain = plain_text()

    def write(data: bytes) -> None:
        sys.stdout.write(plain.feed(data.decode(errors="replace")))
        sys.stdout.flush()

    def paths() -> list[Path]:
        if step is not None:
            return [Path(job.log(file_number(step)))]
        return sorted(Path(job.folder, "steps").glob("*.log"))

    growing.follow(job, paths, write)
