"""Commands that get a machine: create, pick, estimate, wait."""

from typing import Annotated

from trainsh_base.provider.estimate import Estimate
from trainsh_base.system.configuration.config import config_value
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Opt
from trainsh_vast.commands.parameters import (
    POLL,
    WAIT_LIMIT,
    AtBid,
    Create,
    Disk,
    Gpu,
    Hosts,
    IdleStop,
    Image,
    Job,
    MaxCost,
    MaxDph,
    MaxTime,
    MaybeId,
    MinGpuRam,
    MinReliability,
    NumGpus,
    Query,
    Region,
    Timeout,
    Vet,
    account,
    meant,
    printed,
    tool,
)
from trainsh_vast.model import Created, Verb


@tool.command(show=printed("show_created"), rents=True)
def create(
    offer: Annotated[int, Arg("an offer's number: see train vast search", "OFFER")],
    *,
    image: Image = None,
    disk: Disk = 10.0,
    label: Annotated[str | None, Opt("a label for yourself", metavar="TEXT")] = None,
    onstart: Annotated[
        str | None, Opt("shell commands that the instance runs at every start", metavar="SCRIPT")
    ] = None,
    env: Annotated[
        dict[str, str] | None, Opt("a variable, or a port as '-p 8080:8080=1' (repeatable)", metavar="NAME=VALUE")
    ] = None,
    price: Annotated[
        float | None,
        Opt("bid this many dollars per hour for an interruptible instance", metavar="USD", kind="money"),
    ] = None,
    _job: Job = None,
) -> Created:
    """Rent an offer.

    If the answer is lost, the instance is found by its label, so a repeated request rents no second one.
    """
    from trainsh_vast.verbs import renting  # noqa: PLC0415 - so that the help is fast

    return renting.create(
        account(), offer, image=image, disk=disk, label=label, onstart=onstart, env=env, price=price, job=_job
    )


@tool.command(show=printed("show_verb"), ensures=True, fills="host", rents=True)
def pick(
    host: Annotated[str, Arg("the recipe's host for which to pick an instance", "HOST", kind="host")],
    *,
    num_gpus: NumGpus = None,
    min_gpu_ram: MinGpuRam = None,
    gpu: Gpu = None,
    max_dph: MaxDph = None,
    limit: Annotated[int, Opt("show at most this many instances", metavar="N")] = 20,
    auto: Annotated[bool, Opt("take the best instance without asking")] = False,
    create: Create = False,
    image: Image = None,
    disk: Disk = 20.0,
    region: Region = None,
    min_reliability: MinReliability = None,
    bid: AtBid = False,
    query: Query = "",
    vet: Vet = None,
    hold: Annotated[
        Duration | None,
        Opt("how long the runner keeps the machine if the job fails", kind="duration", holds=True),
    ] = None,
    max_cost: MaxCost = None,
    max_time: MaxTime = None,
    idle_stop: IdleStop = None,
    _job: Job = None,
    _hosts: Hosts = None,
) -> Verb:
    """Pick one of your instances for a host of a recipe; a stopped instance is started."""
    from trainsh_vast.limits import limits  # noqa: PLC0415 - so that the help is fast
    from trainsh_vast.market.wanted import Wanted  # noqa: PLC0415 - as above
    from trainsh_vast.verbs import renting  # noqa: PLC0415 - as above
    from trainsh_vast.verbs.picked import Rules  # noqa: PLC0415 - as above

    wanted = Wanted(
        num_gpus=num_gpus, min_gpu_ram=min_gpu_ram, gpu=gpu, max_dph=max_dph, disk=disk, region=region,
        min_reliability=min_reliability, bid=bid, query=query,
    )  # fmt: skip
    rules = Rules(
        auto=auto, create=create, image=image or str(config_value("vast.image")), limit=max(1, limit),
        max_dph=max_dph, limits=limits.read(idle_stop, max_time, max_cost, _job),
    )  # fmt: skip
    return renting.pick(account(), host, _job, wanted, rules, vet=vet, hosts=_hosts)


@tool.command(estimates="pick", show=printed("show_estimate"))
def estimate(
    *,
    num_gpus: NumGpus = None,
    min_gpu_ram: MinGpuRam = None,
    gpu: Gpu = None,
    max_dph: MaxDph = None,
    create: Create = False,
    disk: Disk = 20.0,
    region: Region = None,
    min_reliability: MinReliability = None,
    bid: AtBid = False,
    query: Query = "",
) -> Estimate:
    """Print what pick would take now, and its price per hour; nothing is rented."""
    from trainsh_vast.market.wanted import Wanted  # noqa: PLC0415 - so that the help is fast
    from trainsh_vast.verbs import renting  # noqa: PLC0415 - as above

    wanted = Wanted(
        num_gpus=num_gpus, min_gpu_ram=min_gpu_ram, gpu=gpu, max_dph=max_dph, disk=disk, region=region,
        min_reliability=min_reliability, bid=bid, query=query,
    )  # fmt: skip
    return renting.estimate(account(), wanted, create=create)


@tool.command(show=printed("show_verb"), ensures=True)
def wait(
    id_: MaybeId = None,
    *,
    timeout: Timeout = WAIT_LIMIT,
    poll: Annotated[Duration, Opt("the time between two requests", kind="duration")] = POLL,
    stop_on_fail: Annotated[bool, Opt("stop the instance if it does not get ready in time")] = False,
    vet: Vet = None,
    max_cost: MaxCost = None,
    max_time: MaxTime = None,
    idle_stop: IdleStop = None,
    _job: Job = None,
    _hosts: Hosts = None,
) -> Verb:
    """Wait until an instance runs and accepts an ssh login, directly or through Vast.ai's proxy."""
    from trainsh_vast.limits import limits  # noqa: PLC0415 - so that the help is fast
    from trainsh_vast.verbs import renting  # noqa: PLC0415 - as above
    from trainsh_vast.verbs.accepting import Patience  # noqa: PLC0415 - as above

    wanted = limits.read(idle_stop, max_time, max_cost, _job)
    service = account()
    numbers = meant(service, id_, _job, _hosts)
    patience = Patience(timeout=timeout, poll=poll, stop_on_fail=stop_on_fail)
    return renting.wait(service, numbers, _hosts, patience, vet=vet, limits=wanted, job=_job)
