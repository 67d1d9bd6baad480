"""The commands of train-vast, and how their answers are printed."""

from typing import Annotated, Any, Literal

from trainsh_base.errors import Cancelled
from trainsh_base.provider.instance import State
from trainsh_base.remote.target import Target
from trainsh_base.request import current
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Handover, Opt, Tool
from trainsh_base.tool.program import run as run_tool
from trainsh_vast.model import Attached, Balance, Bill, Change, Cost, Created, Details, Key, Log, Rented, Verb

tool = Tool("vast", "Vast.ai: rent GPUs, wait for them, stop them", provides=("hosts",))

Id = Annotated[str, Arg("an instance's id: see train vast list", "ID", kind="instance")]
MaybeId = Annotated[
    str | None, Arg("an instance's id, or @HOST in a recipe (default there: the job's own)", "ID", kind="instance")
]
Job = Annotated[str | None, Opt("the job that holds it; recipes set it", name="--job", metavar="JOB")]
Hosts = Annotated[
    dict[str, Any] | None, Opt("what a recipe's hosts are; recipes set it", name="--hosts", metavar="NAME=SPEC")
]
Gpu = Annotated[str | None, Opt("the model, such as RTX_4090", metavar="NAME")]
NumGpus = Annotated[int | None, Opt("at least this many GPUs", metavar="N")]
MinGpuRam = Annotated[float | None, Opt("at least this much memory for each GPU, in GB of 1000 MB", metavar="GB")]
MaxDph = Annotated[
    float | None, Opt("at most this many dollars an hour, the disk included", metavar="USD", kind="money")
]
Disk = Annotated[float, Opt("the disk of a new instance, in GB", metavar="GB")]
Region = Annotated[str | None, Opt("only these countries: US,CA", metavar="CODES")]
MinReliability = Annotated[float | None, Opt("at least this reliable, from 0 to 1", metavar="N")]
Image = Annotated[str | None, Opt("the image (default: the setting vast.image)", metavar="IMAGE")]
Timeout = Annotated[Duration, Opt("how long it may take", kind="duration")]
STOP_LIMIT = Duration(600)
WAIT_LIMIT = Duration(600)
POLL = Duration(10)


def main() -> None:
    """Run train-vast."""
    run_tool(tool)


def _show(name: str) -> Any:
    """A function of `display`, which is imported when the function is called."""

    def show(value: Any) -> None:
        from trainsh_vast import display  # noqa: PLC0415 - for people only

        getattr(display, name)(value)

    return show


def _service() -> Any:
    from trainsh_vast.api.service import Service  # noqa: PLC0415 - help does without requests

    return Service()


def _meant(service: Any, ref: str | None, job: str | None = None, hosts: dict[str, Any] | None = None) -> list[int]:
    from trainsh_vast.rented.held import meant  # noqa: PLC0415 - help does without

    return meant(service, ref, job, hosts)


def _row(service: Any, number: int) -> Rented:
    from trainsh_vast.rented.rows import rented  # noqa: PLC0415 - help does without

    return rented(service.need(number))


# Looking


@tool.command(name="list", show=_show("show_list"))
def list_(
    state: Annotated[State | None, Opt("only those in this state")] = None,
) -> list[Rented]:
    """List your instances, and what each costs an hour now."""
    from trainsh_base.provider.listed import remember  # noqa: PLC0415 - help does without
    from trainsh_vast.rented import rows  # noqa: PLC0415 - help does without

    found = rows.every(_service())
    remember(tool.name, found)
    return [row for row in found if state in (None, row.state)]


@tool.command(show=_show("show_details"))
def show(id_: Id) -> Details:
    """Show an instance: with --json, all that Vast.ai says of it but secrets."""
    from trainsh_vast.rented import rows  # noqa: PLC0415 - help does without

    service = _service()
    row = service.need(_meant(service, id_)[0])
    return Details(row=rows.rented(row), api=rows.without_secrets(row))


@tool.command(show=_show("show_offers"))
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
    bid: Annotated[bool, Opt("interruptible offers, at their lowest bid")] = False,
    sort: Annotated[
        Literal["price", "value", "reliability"], Opt("what comes first; value is dlperf per dollar")
    ] = "price",
    limit: Annotated[int, Opt("at most this many", metavar="N")] = 20,
) -> list[dict[str, Any]]:
    """Search for GPU offers; prices include the disk asked for. With --json, the whole objects.

    \b
    train vast search --gpu RTX_4090 --num-gpus 2 --max-dph 1.2
    train vast search 'gpu_ram>=40 geolocation in [SE,NO]' --sort value
    """
    from trainsh_vast.market import offers  # noqa: PLC0415 - help does without
    from trainsh_vast.market.wanted import Wanted  # noqa: PLC0415 - as above

    wanted = Wanted(
        query=" ".join(query), gpu=gpu, num_gpus=num_gpus, min_gpu_ram=min_gpu_ram, max_dph=max_dph, disk=disk,
        region=region, min_reliability=min_reliability, bid=bid,
    )  # fmt: skip
    wanted.filters()  # a query with a syntax error fails before an API key is needed
    return offers.search(_service(), wanted, sort, max(1, limit))


@tool.command(show=lambda log: print(log.text, end=""))
def logs(
    id_: Id,
    tail: Annotated[int, Opt("the last lines", metavar="N")] = 100,
    filter_: Annotated[str | None, Opt("only lines with this word", name="--filter", metavar="WORD")] = None,
) -> Log:
    """Show the log of an instance's container."""
    from trainsh_vast.verbs import watching  # noqa: PLC0415 - help does without

    service = _service()
    number = _meant(service, id_)[0]
    return Log(id=number, text=watching.logs(service, number, tail, filter_))


@tool.command(show=_show("show_changes"))
def watch(
    id_: Annotated[str | None, Arg("one instance only", "ID", kind="instance")] = None,
    every: Annotated[Duration, Opt("how often to look", kind="duration")] = POLL,
    until: Annotated[State | None, Opt("end once it is in this state")] = None,
) -> list[Change]:
    """Say whenever an instance changes its state, until Ctrl-C."""
    from trainsh_vast.verbs import watching  # noqa: PLC0415 - help does without

    service = _service()
    return watching.watch(service, _meant(service, id_)[0] if id_ else None, float(every), until)


@tool.command()
def resolve(ref: Annotated[str, Arg("an instance's id", "ID", kind="host")]) -> Target:
    """Say how an instance is reached, for programs."""
    from trainsh_vast.verbs import reaching  # noqa: PLC0415 - help does without

    service = _service()
    return reaching.resolve(service, _meant(service, ref)[0])


@tool.command()
def ssh(
    id_: Id,
    command: Annotated[list[str], Arg("what to run instead of a shell, after --", "COMMAND")] = [],  # noqa: B006
) -> Handover:
    """Open a shell on an instance, or run a command there."""
    from trainsh_vast.verbs import reaching  # noqa: PLC0415 - help does without

    service = _service()
    target = reaching.resolve(service, _meant(service, id_)[0])
    return Handover(argv=[*target.argv, *command], env=dict(target.env))


# Changing


@tool.command(show=_show("show_created"), rents=True)
def create(
    offer: Annotated[int, Arg("an offer's number: see train vast search", "OFFER")],
    *,
    image: Image = None,
    disk: Disk = 10.0,
    label: Annotated[str | None, Opt("a label for yourself", metavar="TEXT")] = None,
    onstart: Annotated[str | None, Opt("commands to run at every start", metavar="SCRIPT")] = None,
    env: Annotated[
        dict[str, str] | None, Opt("a variable, or a port as '-p 8080:8080=1' (repeatable)", metavar="NAME=VALUE")
    ] = None,
    price: Annotated[
        float | None, Opt("bid this many dollars an hour: interruptible", metavar="USD", kind="money")
    ] = None,
    _job: Job = None,
) -> Created:
    """Rent an offer. A lost answer is looked for by its label; a job that asks again gets the first one."""
    from trainsh_vast.verbs import renting  # noqa: PLC0415 - help does without

    return renting.create(
        _service(), offer, image=image, disk=disk, label=label, onstart=onstart, env=env, price=price, job=_job
    )


@tool.command(show=_show("show_verb"), ensures=True, fills="host", rents=True)
def pick(
    host: Annotated[str, Arg("the host of the recipe that it becomes", "HOST", kind="host")],
    *,
    num_gpus: NumGpus = None,
    min_gpu_ram: MinGpuRam = None,
    gpu: Gpu = None,
    max_dph: MaxDph = None,
    limit: Annotated[int, Opt("show at most this many", metavar="N")] = 20,
    auto: Annotated[bool, Opt("take the best without asking")] = False,
    create: Annotated[bool, Opt("rent the cheapest offer where none of yours fits")] = False,
    image: Image = None,
    disk: Disk = 20.0,
    region: Region = None,
    min_reliability: MinReliability = None,
    bid: Annotated[bool, Opt("rent an interruptible one, at its lowest bid")] = False,
    query: Annotated[str, Opt("more conditions, in Vast.ai's query language", metavar="QUERY")] = "",
    _job: Job = None,
    _hosts: Hosts = None,
) -> Verb:
    """Pick one of your instances for a host of a recipe; a stopped one is started."""
    from trainsh_vast.verbs import renting  # noqa: PLC0415 - help does without

    wanted = {
        "num_gpus": num_gpus, "min_gpu_ram": min_gpu_ram, "gpu": gpu, "max_dph": max_dph, "disk": disk,
        "region": region, "min_reliability": min_reliability, "bid": bid, "query": query,
    }  # fmt: skip
    return renting.pick(
        _service(),
        host,
        _job,
        wanted,
        auto=auto,
        create=create,
        image=image,
        limit=limit,
        max_dph=max_dph,
        hosts=_hosts,
    )


@tool.command(show=_show("show_verb"), ensures=True, rents=True)
def start(id_: MaybeId = None, _job: Job = None, _hosts: Hosts = None) -> Verb:
    """Start an instance; when its GPU is taken, that is an error and nothing stays in a queue."""
    from trainsh_vast.rented import labels, rows  # noqa: PLC0415 - help does without
    from trainsh_vast.verbs import states  # noqa: PLC0415 - as above

    service = _service()
    row = None
    for number in _meant(service, id_, _job, _hosts):
        if _job:
            old = service.need(number).get("label")
            service.set_label(number, labels.marked(old, _job, labels.holder(old)[1]))
        row = rows.started(states.start(service, number))
    return Verb(instance=row, message=f"instance {row.id} is {row.state}" if row else "")


@tool.command(show=_show("show_verb"), ensures=True, releases="billing")
def stop(id_: MaybeId = None, timeout: Timeout = STOP_LIMIT, _job: Job = None, _hosts: Hosts = None) -> Verb:
    """Stop an instance, and return once Vast.ai's listing shows it; its disk stays, and bills."""
    from trainsh_vast.rented import rows  # noqa: PLC0415 - help does without
    from trainsh_vast.verbs import states  # noqa: PLC0415 - as above

    service = _service()
    found, words = None, []
    for number in _meant(service, id_, _job, _hosts):
        row = states.stop(service, number, float(timeout))
        found = rows.rented(row) if row else Rented(id=number, state="gone")
        words.append(f"instance {number} is {found.state}")
        if found.state == "stopped":
            words.append(f"its disk bills ${found.storage_per_hour:.4f} an hour until: {found.end}")
    return Verb(instance=found, message="; ".join(words))


@tool.command(show=_show("show_verb"), ensures=True, releases="disk")
def destroy(
    id_: MaybeId = None,
    yes: Annotated[bool, Opt("do not ask", short="-y")] = False,
    timeout: Timeout = STOP_LIMIT,
    _job: Job = None,
    _hosts: Hosts = None,
) -> Verb:
    """Destroy an instance and all that is on its disk; nothing of it bills any longer."""
    from trainsh_vast.verbs import states  # noqa: PLC0415 - help does without

    service = _service()
    numbers = _meant(service, id_, _job, _hosts)
    for number in numbers:
        question = f"Destroy instance {number} and its disk?"
        if not yes and not _job and current().ask("confirm", question, default="no", flag="--yes") != "yes":
            raise Cancelled(f"instance {number} was not destroyed")
        states.destroy(service, number, float(timeout))
    gone = Rented(id=numbers[-1], state="gone")
    return Verb(instance=gone, message=f"destroyed {', '.join(map(str, numbers))}")


@tool.command(show=_show("show_row"))
def reboot(id_: Id) -> Rented:
    """Restart an instance's container; its GPU and its disk stay."""
    service = _service()
    number = _meant(service, id_)[0]
    service.need(number)
    service.reboot(number)
    return _row(service, number)


@tool.command(show=_show("show_row"), ensures=True)
def label(id_: Id, text: Annotated[str, Arg("the label", "TEXT")]) -> Rented:
    """Give an instance a label of your own; the mark of its job stays."""
    from trainsh_vast.rented import labels  # noqa: PLC0415 - help does without

    service = _service()
    number = _meant(service, id_)[0]
    job, host = labels.holder(service.need(number).get("label"))
    service.set_label(number, labels.marked(text, job, host) if job else text)
    return _row(service, number)


@tool.command(show=_show("show_row"))
def bid(
    id_: Id,
    price: Annotated[
        float | None, Arg("dollars an hour for the machine (default: one that wins)", "USD", kind="money")
    ] = None,
) -> Rented:
    """Change the bid of an interruptible instance."""
    service = _service()
    number = _meant(service, id_)[0]
    service.need(number)
    service.bid(number, price)
    return _row(service, number)


@tool.command(show=_show("show_verb"), ensures=True)
def wait(
    id_: MaybeId = None,
    *,
    timeout: Timeout = WAIT_LIMIT,
    poll: Annotated[Duration, Opt("how often to look", kind="duration")] = POLL,
    stop_on_fail: Annotated[bool, Opt("stop the instance when it does not get ready")] = False,
    _job: Job = None,
    _hosts: Hosts = None,
) -> Verb:
    """Wait until an instance runs and one can log in: directly, else through Vast.ai's proxy."""
    from trainsh_vast.verbs import renting  # noqa: PLC0415 - help does without

    service = _service()
    numbers = _meant(service, id_, _job, _hosts)
    return renting.wait(
        service, numbers, _hosts, timeout=float(timeout), poll=float(poll), stop_on_fail=stop_on_fail
    )


# Keys and money


@tool.command(show=_show("show_keys"))
def keys(
    id_: Annotated[str | None, Arg("an instance (default: the account)", "ID", kind="instance")] = None,
) -> list[Key]:
    """List the ssh keys of the account, or of an instance."""
    from trainsh_vast.verbs import keys as verbs  # noqa: PLC0415 - help does without

    service = _service()
    return verbs.listed(service, _meant(service, id_)[0] if id_ else None)


@tool.command(show=_show("show_attached"), ensures=True)
def attach_key(
    id_: Annotated[str | None, Arg("an instance (default: the account)", "ID", kind="instance")] = None,
    key: Annotated[
        str | None, Opt("the key (default: the setting, else the one in ~/.ssh)", metavar="FILE")
    ] = None,
) -> Attached:
    """Attach the local ssh key: to the account, for instances rented from now on, or to one instance."""
    from trainsh_vast.verbs import keys as verbs  # noqa: PLC0415 - help does without

    service = _service()
    return verbs.attach(service, _meant(service, id_)[0] if id_ else None, key)


@tool.command(show=_show("show_cost"))
def cost(id_: MaybeId = None, _job: Job = None, _hosts: Hosts = None) -> list[Cost]:
    """Show what an instance has cost, split into GPU, storage and bandwidth."""
    from trainsh_vast.verbs import billing  # noqa: PLC0415 - help does without

    service = _service()
    found = [billing.cost(service, number) for number in _meant(service, id_, _job, _hosts)]
    for one in found:
        current().emit("log", message=one.message)
    return found


@tool.command(show=_show("show_balance"))
def balance() -> Balance:
    """Show the account's credit, and how long it lasts."""
    from trainsh_vast.verbs import billing  # noqa: PLC0415 - help does without

    return billing.balance(_service())


@tool.command(show=_show("show_bill"))
def bill() -> Bill:
    """Show what costs money now, and what this month has cost."""
    from trainsh_vast.verbs import billing  # noqa: PLC0415 - help does without

    return billing.bill(_service())
