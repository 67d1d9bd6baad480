"""Commands that change a machine: start, stop, destroy, reboot, label, bid."""

from typing import Annotated

from trainsh_base.errors import Cancelled
from trainsh_base.request import current
from trainsh_base.tool.declare import Arg, Opt
from trainsh_vast.commands.parameters import (
    STOP_LIMIT,
    Hosts,
    Id,
    Job,
    MaybeId,
    Timeout,
    account,
    meant,
    printed,
    row_of,
    tool,
)
from trainsh_vast.model import Rented, Verb


@tool.command(show=printed("show_verb"), ensures=True, rents=True)
def start(id_: MaybeId = None, _job: Job = None, _hosts: Hosts = None) -> Verb:
    """Start an instance. If its GPU is rented to somebody else, this fails, and no start stays queued."""
    from trainsh_vast.rented import held, labels, rows  # noqa: PLC0415 - so that the help is fast
    from trainsh_vast.verbs import picked, states  # noqa: PLC0415 - as above

    service = account()
    row = None
    for number in meant(service, id_, _job, _hosts):
        if _job:
            found = service.need(number)
            old = found.get("label")
            if not held.is_held(found, _job):
                picked.take(_job, number)
            service.set_label(number, labels.marked(old, _job, labels.holder(old)[1]))
        row = rows.started(states.start(service, number))
    return Verb(instance=row, message=f"instance {row.id} is {row.state}" if row else "")


@tool.command(show=printed("show_verb"), ensures=True, releases="billing")
def stop(id_: MaybeId = None, timeout: Timeout = STOP_LIMIT, _job: Job = None, _hosts: Hosts = None) -> Verb:
    """Stop an instance, and return when Vast.ai lists it as stopped. Its disk is kept and still costs money."""
    from trainsh_vast.rented import rows  # noqa: PLC0415 - so that the help is fast
    from trainsh_vast.verbs import states  # noqa: PLC0415 - as above

    service = account()
    found, words = None, []
    for number in meant(service, id_, _job, _hosts):
        row = states.stop(service, number, float(timeout))
        found = rows.rented(row) if row else Rented(id=number, state="gone")
        words.append(f"instance {number} is {found.state}")
        if found.state == "stopped":
            words.append(f"its disk costs ${found.storage_per_hour:.4f} an hour; to end that: {found.end}")
    return Verb(instance=found, message="; ".join(words))


@tool.command(show=printed("show_verb"), ensures=True, releases="disk")
def destroy(
    id_: MaybeId = None,
    yes: Annotated[bool, Opt("do not ask", short="-y")] = False,
    timeout: Timeout = STOP_LIMIT,
    _job: Job = None,
    _hosts: Hosts = None,
) -> Verb:
    """Destroy an instance and its disk, with all files on it; it then costs nothing any more.

    In a recipe, an instance that the job has not rented is stopped instead, unless its number is given.
    """
    from trainsh_vast.rented import held  # noqa: PLC0415 - so that the help is fast
    from trainsh_vast.verbs import giving_back, states  # noqa: PLC0415 - as above

    service = account()
    numbers = meant(service, id_, _job, _hosts)
    if _job and held.number_of(id_ or "") is None:
        return giving_back.give_back(service, numbers, _job, float(timeout))
    for number in numbers:
        question = f"Destroy instance {number} and its disk?"
        if not yes and not _job and current().ask("confirm", question, default="no", flag="--yes") != "yes":
            raise Cancelled(f"instance {number} was not destroyed")
        states.destroy(service, number, float(timeout))
    gone = Rented(id=numbers[-1], state="gone")
    return Verb(instance=gone, message=f"destroyed {', '.join(map(str, numbers))}")


@tool.command(show=printed("show_row"))
def reboot(id_: Id) -> Rented:
    """Restart an instance's container; it keeps its GPU and its disk."""
    service = account()
    number = meant(service, id_)[0]
    service.need(number)
    service.reboot(number)
    return row_of(service, number)


@tool.command(show=printed("show_row"), ensures=True)
def label(id_: Id, text: Annotated[str, Arg("the label", "TEXT")]) -> Rented:
    """Give an instance a label of your own; the part of the label that names its job stays."""
    from trainsh_vast.rented import labels  # noqa: PLC0415 - so that the help is fast

    service = account()
    number = meant(service, id_)[0]
    job, host = labels.holder(service.need(number).get("label"))
    service.set_label(number, labels.marked(text, job, host) if job else text)
    return row_of(service, number)


@tool.command(show=printed("show_row"))
def bid(
    id_: Id,
    price: Annotated[
        float | None,
        Arg("dollars per hour for the machine (default: the lowest bid that wins)", "USD", kind="money"),
    ] = None,
) -> Rented:
    """Change the bid of an interruptible instance."""
    service = account()
    number = meant(service, id_)[0]
    service.need(number)
    service.bid(number, price)
    return row_of(service, number)
