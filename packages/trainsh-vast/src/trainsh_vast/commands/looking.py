"""Commands that look: list, show, search, logs, watch, resolve, ssh."""

from typing import Annotated, Any, Literal

from trainsh_base.provider.instance import State
from trainsh_base.remote.target import Target
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Handover, Opt
from trainsh_vast.commands.parameters import (
    POLL,
    Disk,
    Gpu,
    Id,
    MaxDph,
    MinGpuRam,
    MinReliability,
    NumGpus,
    Region,
    account,
    meant,
    printed,
    tool,
)
from trainsh_vast.model import Change, Details, Log, Rented


@tool.command(name="list", show=printed("show_list"))
def list_(
    state: Annotated[State | None, Opt("only instances in this state")] = None,
) -> list[Rented]:
    """List your instances, and what each one costs per hour now."""
    from trainsh_base.provider.listed import remember  # noqa: PLC0415 - so that the help is fast
    from trainsh_vast.rented import rows  # noqa: PLC0415 - so that the help is fast

    found = rows.every(account())
    remember(tool.name, found)
    return [row for row in found if state in (None, row.state)]


@tool.command(show=printed("show_details"))
def show(id_: Id) -> Details:
    """Show an instance; with --json, all that Vast.ai's API returns about it, except secrets."""
    from trainsh_vast.rented import rows  # noqa: PLC0415 - so that the help is fast

    service = account()
    row = service.need(meant(service, id_)[0])
    return Details(row=rows.rented(row), api=rows.without_secrets(row))


@tool.command(show=printed("show_offers"))
def search(
    query: Annotated[list[str], Arg("Vast.ai's query language: gpu_name=RTX_4090 num_gpus>=2", "QUERY")] = [],  # noqa: B006
    *,
    gpu: Gpu = None,
    num_gpus: NumGpus = None,
    min_gpu_ram: MinGpuRam = None,
    max_dph: MaxDph = None,
    disk: Disk = 10.0,
    region: Region = None,
    min_reliability: MinReliability = None,
    bid: Annotated[bool, Opt("show interruptible offers, with their lowest bid")] = False,
    sort: Annotated[
        Literal["price", "value", "reliability"], Opt("the order of the offers; value is dlperf per dollar")
    ] = "price",
    limit: Annotated[int, Opt("show at most this many offers", metavar="N")] = 20,
) -> list[dict[str, Any]]:
    """Search for GPU offers. Prices include the requested disk. With --json, print Vast.ai's complete objects.

    \b
    train vast search --gpu RTX_4090 --num-gpus 2 --max-dph 1.2
    train vast search 'gpu_ram>=40 geolocation in [SE,NO]' --sort value
    """
    from trainsh_vast.market import offers  # noqa: PLC0415 - so that the help is fast
    from trainsh_vast.market.wanted import Wanted  # noqa: PLC0415 - as above

    wanted = Wanted(
        query=" ".join(query), gpu=gpu, num_gpus=num_gpus, min_gpu_ram=min_gpu_ram, max_dph=max_dph, disk=disk,
        region=region, min_reliability=min_reliability, bid=bid,
    )  # fmt: skip
    wanted.filters()  # called first, so that a syntax error in the query is reported before an API key is needed
    return offers.search(account(), wanted, sort, max(1, limit))


@tool.command(show=lambda log: print(log.text, end=""))
def logs(
    id_: Id,
    tail: Annotated[int, Opt("show only this many last lines", metavar="N")] = 100,
    filter_: Annotated[
        str | None, Opt("show only lines that contain this text", name="--filter", metavar="WORD")
    ] = None,
) -> Log:
    """Show the log of an instance's container."""
    from trainsh_vast.verbs import watching  # noqa: PLC0415 - so that the help is fast

    service = account()
    number = meant(service, id_)[0]
    return Log(id=number, text=watching.logs(service, number, tail, filter_))


@tool.command(show=printed("show_changes"))
def watch(
    id_: Annotated[str | None, Arg("watch only this instance", "ID", kind="instance")] = None,
    every: Annotated[Duration, Opt("the time between two requests", kind="duration")] = POLL,
    until: Annotated[State | None, Opt("exit when the instance is in this state")] = None,
) -> list[Change]:
    """Print a line whenever an instance changes its state, until Ctrl-C."""
    from trainsh_vast.verbs import watching  # noqa: PLC0415 - so that the help is fast

    service = account()
    return watching.watch(service, meant(service, id_)[0] if id_ else None, float(every), until)


@tool.command()
def resolve(ref: Annotated[str, Arg("an instance's id", "ID", kind="host")]) -> Target:
    """Print how an instance is reached, for programs."""
    from trainsh_vast.verbs import reaching  # noqa: PLC0415 - so that the help is fast

    service = account()
    return reaching.resolve(service, meant(service, ref)[0])


@tool.command()
def ssh(
    id_: Id,
    command: Annotated[list[str], Arg("the command to run instead of a shell, after --", "COMMAND")] = [],  # noqa: B006
) -> Handover:
    """Open a shell on an instance, or run a command there."""
    from trainsh_vast.verbs import reaching  # noqa: PLC0415 - so that the help is fast

    service = account()
    target = reaching.resolve(service, meant(service, id_)[0])
    return Handover(argv=[*target.argv, *command], env=dict(target.env))
