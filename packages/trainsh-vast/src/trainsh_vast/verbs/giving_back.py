"""Carries out `destroy` in a recipe. It destroys what the job has rented, and stops what existed before the job."""

from trainsh_vast.api.service import Row, Service
from trainsh_vast.model import Rented, Verb
from trainsh_vast.rented import held, labels, rows
from trainsh_vast.verbs import picked, states


def give_back(service: Service, numbers: list[int], job: str, timeout: float) -> Verb:
    """Destroy the instances that `job` has rented.

    Stop the others, because their disks may have files of a person.
    """
    words, kept = [], None
    for number in numbers:
        found = service.instance(number)
        if found is None or _was_rented(found, job):
            states.destroy(service, number, timeout)
            words.append(f"destroyed {number}")
            continue
        row = states.stop(service, number, timeout)
        kept = rows.rented(row) if row else None
        words.append(
            f"instance {number} was there before this job, so it was stopped and its disk stays; "
            f"to destroy it: train vast destroy {number}"
        )
    return Verb(instance=kept or Rented(id=numbers[-1], state="gone"), message="; ".join(words))


def _was_rented(row: Row, job: str) -> bool:
    host = labels.holder(row.get("label"))[1]
    return held.is_held(row, job) and picked.was_rented(job, host, int(row["id"]))
