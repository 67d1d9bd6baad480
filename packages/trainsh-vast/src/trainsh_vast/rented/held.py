"""Finds the instances to which a reference or a job refers."""

from typing import Any

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.paths import jobs_home
from trainsh_vast.api.service import Row, Service
from trainsh_vast.rented import labels

PREFIX = "vast:"


def number_of(ref: str) -> int | None:
    """The id in a text of the form `123` or `vast:123`, or None for any other text."""
    word = ref.removeprefix(PREFIX)
    return int(word) if word.isdecimal() else None


def meant(service: Service, ref: str | None, job: str | None, hosts: dict[str, Any] | None) -> list[int]:
    """The ids of the instances on which a verb acts.

    `ref` is an id or a host of the job. Without `ref`, the verb acts on all instances that the job holds.
    """
    if ref:
        number = number_of(ref)
        if number is not None:
            return [number]
    spec = (hosts or {}).get(ref or "")
    number = number_of_spec(spec)
    if number is not None:
        return [number]
    if not job:
        if ref:
            raise UsageError(f"not the id of an instance: {ref!r}", "see: train vast list", code="bad_ref")
        raise UsageError(
            "which instance?", "give its id; to see the ids: train vast list", code="missing_parameter"
        )
    found = [int(row["id"]) for row in service.instances() if is_held(row, job, ref)]
    if not ref:
        found += [
            one for one in map(number_of_spec, (hosts or {}).values()) if one is not None and one not in found
        ]
    if not found:
        what = f"host {ref} is not an instance of this job" if ref else "this job holds no instance"
        raise NotFound(
            what, "pick an instance first: vast.pick @HOST, or give an instance's id", code="no_instance"
        )
    return found


def number_of_spec(spec: Any) -> int | None:
    """The id in the current value of a recipe's host.

    The value is `vast:123` or a target of this tool; for others this is None.
    """
    if isinstance(spec, dict):
        spec = spec.get("name")
    return number_of(spec) if isinstance(spec, str) and spec.startswith(PREFIX) else None


def is_held(row: Row, job: str, host: str | None = None) -> bool:
    """Whether the label of an instance names this job and, if `host` is given, this host of the job."""
    holder, as_host = labels.holder(row.get("label"))
    return holder == labels.holder(labels.marked("", job, ""))[0] and host in (None, "", as_host)


def held_by_other(row: Row, job: str | None) -> str:
    """The job, other than `job`, that holds an instance and has not finished; or "" if there is none."""
    holder, _ = labels.holder(row.get("label"))
    if not holder or (job and is_held(row, job)):
        return ""
    return holder if (jobs_home() / "open" / holder).exists() else ""
