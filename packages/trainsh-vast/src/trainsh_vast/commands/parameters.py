"""The tool, the parameters that several commands share, and how a command reaches the account."""

from typing import Annotated, Any

from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Opt, Tool
from trainsh_vast.limits import beat
from trainsh_vast.model import Rented

tool = Tool("vast", "Vast.ai: rent GPUs, wait for them, stop them", provides=("hosts",), on_close=beat.end)

Id = Annotated[str, Arg("an instance's id: see train vast list", "ID", kind="instance")]
MaybeId = Annotated[
    str | None,
    Arg("an instance's id, or in a recipe @HOST (default in a recipe: the job's instance)", "ID", kind="instance"),
]
Job = Annotated[str | None, Opt("the job that holds the instance; recipes set this", name="--job", metavar="JOB")]
Hosts = Annotated[
    dict[str, Any] | None,
    Opt("each host of the recipe with its machine; recipes set this", name="--hosts", metavar="NAME=SPEC"),
]
Gpu = Annotated[str | None, Opt("the model, such as RTX_4090", metavar="NAME")]
NumGpus = Annotated[int | None, Opt("at least this many GPUs", metavar="N")]
MinGpuRam = Annotated[float | None, Opt("at least this much memory per GPU, in GB (1000 MB)", metavar="GB")]
MaxDph = Annotated[
    float | None, Opt("at most this many dollars per hour, the disk included", metavar="USD", kind="money")
]
Disk = Annotated[float, Opt("the disk of a new instance, in GB", metavar="GB")]
Region = Annotated[str | None, Opt("only these countries: US,CA", metavar="CODES")]
MinReliability = Annotated[float | None, Opt("at least this reliability, from 0 to 1", metavar="N")]
Create = Annotated[bool, Opt("rent the cheapest offer if none of your instances fits")]
AtBid = Annotated[bool, Opt("rent an interruptible instance, at its lowest bid")]
Query = Annotated[str, Opt("more conditions, in Vast.ai's query language", metavar="QUERY")]
Image = Annotated[str | None, Opt("the image (default: the setting vast.image)", metavar="IMAGE")]
MaxCost = Annotated[
    float | None,
    Opt(
        "stop the instance when it has cost this many dollars from now on", metavar="USD", kind="money", limits=True
    ),
]
MaxTime = Annotated[Duration | None, Opt("stop the instance after this time", kind="duration", limits=True)]
IdleStop = Annotated[
    str | None,
    Opt(
        "stop the instance when nothing has used it for this long, or off (default in a recipe: 30m)",
        kind="duration",
        limits=True,
    ),
]
Vet = Annotated[
    Duration | None,
    Opt("check by measuring, for at most this long, that the machine is as good as its offer", kind="duration"),
]
Timeout = Annotated[Duration, Opt("the time limit", kind="duration")]
STOP_LIMIT = Duration(600)
WAIT_LIMIT = Duration(600)
POLL = Duration(10)


def printed(name: str) -> Any:
    """The function `name` of the module `display`. The module is imported only when the function is called."""

    def show(value: Any) -> None:
        from trainsh_vast import display  # noqa: PLC0415 - only output for people needs it

        getattr(display, name)(value)

    return show


def account() -> Any:
    """The account at the service. Raises CredentialError if there is no API key."""
    from trainsh_vast.api.service import Service  # noqa: PLC0415 - so that the help does not import requests

    return Service()


def meant(service: Any, ref: str | None, job: str | None = None, hosts: dict[str, Any] | None = None) -> list[int]:
    """The ids of the instances on which a command acts."""
    from trainsh_vast.rented import held  # noqa: PLC0415 - so that the help is fast

    return held.meant(service, ref, job, hosts)


def row_of(service: Any, number: int) -> Rented:
    """The row of one instance. Raises NotFound when it is gone."""
    from trainsh_vast.rented.rows import rented  # noqa: PLC0415 - so that the help is fast

    return rented(service.need(number))
