"""The label of an instance.

It names the job that holds the instance, and the name that the recipe has for the instance.
"""

import re

_MARK = re.compile(r"(?:^| )train/([^/ ]+)(?:/([^/ ]*))?$")
MOST = 250


def marked(label: str | None, job: str, host: str) -> str:
    """The label with the job and the host at its end, such as `mine train/JOB/HOST`."""
    own = unmarked(label)
    mark = f"train/{_plain(job)}/{_plain(host)}"
    return f"{own[: MOST - len(mark) - 1]} {mark}".strip()


def unmarked(label: str | None) -> str:
    """The label without the job and the host, which is the part that a person wrote."""
    return _MARK.sub("", label or "").strip()


def holder(label: str | None) -> tuple[str, str]:
    """The job and the host in a label. Both are empty when the label names no job."""
    found = _MARK.search(label or "")
    return (found[1], found[2] or "") if found else ("", "")


def _plain(text: str) -> str:
    return re.sub(r"[^\w.-]", "_", text)
