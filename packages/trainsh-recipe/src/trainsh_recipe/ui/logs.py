"""What the steps of a job printed."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from trainsh_base.errors import NotFound, UsageError
from trainsh_recipe.model import LogReport
from trainsh_recipe.store import growing, jobs
from trainsh_recipe.store.state import State
from trainsh_recipe.store.step_log import plain_text

BLOCK = 1 << 16
LONGEST = 1 << 20


def reports(job: jobs.Job, state: State, step: str | None) -> list[LogReport]:
    """The logs there are, in the order of the steps; NotFound for a step that has not run."""
    if step is not None and step not in state.steps:
        ran = ", ".join(state.steps) or "none"
        raise NotFound(f"job {job.id} has run no step {step}", f"it has run {ran}", code="no_step")
    found = []
    for each in sorted(state.steps.values(), key=lambda one: [int(part) for part in one.id.split(".")]):
        path = job.log(_file(each.id))
        if (step is None and path.exists()) or each.id == step:
            found.append(LogReport(step=each.id, title=each.text.split("\n")[0], path=str(path)))
    return found


def _file(id: str) -> str:
    first, _, second = id.partition(".")
    return f"{int(first):03d}" + (f".{int(second):02d}" if second else "")


def text(report: LogReport, pattern: re.Pattern[str] | None) -> str:
    """The plain text of a log, its matching lines alone with a pattern."""
    return "".join(_lines(Path(report.path), pattern))


def show(found: list[LogReport], pattern: re.Pattern[str] | None) -> None:
    """Each log under its step; a log of any size, a block at a time. With a pattern: the lines with their step."""
    for report in found:
        if pattern is None and len(found) > 1:
            print(f"== {report.step}  {report.title}")
        for line in _lines(Path(report.path), pattern):
            sys.stdout.write(f"{report.step}: {line}" if pattern else line)


def _lines(path: Path, pattern: re.Pattern[str] | None) -> Iterable[str]:
    """The log in blocks, or its lines that match; of a line without an end, the last LONGEST characters."""
    blocks = _Blocks(path)
    return blocks if pattern is None else (line + "\n" for line in _whole(blocks) if pattern.search(line))


def _whole(blocks: Iterable[str]) -> Iterator[str]:
    rest = ""
    for block in blocks:
        *lines, rest = re.split(r"[\n\r]", rest + block)
        rest = rest[-LONGEST:]
        yield from lines
    if rest:
        yield rest


class _Blocks:
    """A log in plain blocks."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[str]:
        plain = plain_text()
        try:
            with self._path.open("r", encoding="utf-8", errors="replace", newline="") as file:
                while block := file.read(BLOCK):
                    yield plain.feed(block)
        except FileNotFoundError:
            return
        yield plain.flush()


def compiled(pattern: str | None) -> re.Pattern[str] | None:
    """The expression that `--grep` gives; UsageError when it is none."""
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
            return [job.log(_file(step))]
        return sorted((job.folder / "steps").glob("*.log"))

    growing.follow(job, paths, write)
