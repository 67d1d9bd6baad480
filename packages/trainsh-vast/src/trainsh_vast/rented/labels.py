"""The label of an instance, which names the job that holds it, and the job's host that it is used as."""

import re

_MARK = re.compile(r"(?:^| )train/([^/ ]+)(?:/([^/ ]*))?$")
MOST = 250


def marked(label: str | None, job: str, host: str) -> str:
    """`label` with the job and host appended: `mine train/JOB/HOST`."""
    own = unmarked(label)
    mark = f"train/{_plain(job)}/{_plain(host)}"
    return f"{own[: MOST - len(mark) - 1]} {mark}".strip()


def unmarked(label: str | None) -> str:
    """The label without the job and host: the part that a person wrote."""
    return _MARK.sub("", label or "").strip()


def holder(label: str | None) -> tuple[str, str]:
    """The job and host in a label; empty texts when it has none."""
    found = _MARK.search(label or "")
    return (found[1], found[2] or "") if found else ("", "")


def _plain(text: str) -> str:
    return re.sub(r"[^\w.-]", "_", text)
