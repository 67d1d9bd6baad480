"""The label that says which job holds an instance, and as which of its hosts."""

import re

_MARK = re.compile(r"(?:^| )train/([^/ ]+)(?:/([^/ ]*))?$")
MOST = 250


def marked(label: str | None, job: str, host: str) -> str:
    """`label` with the mark of a job at its end: `mine train/JOB/HOST`."""
    own = unmarked(label)
    mark = f"train/{_plain(job)}/{_plain(host)}"
    return f"{own[: MOST - len(mark) - 1]} {mark}".strip()


def unmarked(label: str | None) -> str:
    """What a person wrote in the label."""
    return _MARK.sub("", label or "").strip()


def holder(label: str | None) -> tuple[str, str]:
    """The job and the host that a label names; empty texts when it names none."""
    found = _MARK.search(label or "")
    return (found[1], found[2] or "") if found else ("", "")


def _plain(text: str) -> str:
    return re.sub(r"[^\w.-]", "_", text)
