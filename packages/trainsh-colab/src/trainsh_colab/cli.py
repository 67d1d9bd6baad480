"""The commands of train-colab, and how their answers are printed."""

from typing import Annotated, Any, Literal

from trainsh_base.provider.bill import Bill, billed
from trainsh_base.remote.target import Target
from trainsh_base.request import current
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Handover, Opt, Tool
from trainsh_base.tool.program import run as run_tool
from trainsh_colab.model import Connected, Connection, Runtime, Tunnel, Verb

tool = Tool("colab", "Google Colab: a notebook as a machine, through a tunnel", provides=("hosts",))

STOP_LIMIT = Duration(120)
Name = Annotated[str | None, Arg("a runtime (default: the only one): see train colab list", "NAME")]
Ref = Annotated[
    str | None, Arg("a runtime, or @HOST in a recipe (default there: the job's own)", "NAME", kind="host")
]
Job = Annotated[str | None, Opt("the job that holds it; recipes set it", name="--job", metavar="JOB")]
Hosts = Annotated[
    dict[str, Any] | None, Opt("what a recipe's hosts are; recipes set it", name="--hosts", metavar="NAME=SPEC")
]


def main() -> None:
    """Run train-colab."""
    run_tool(tool)


def _show(name: str) -> Any:
    """A function of `display`, which is imported when the function is called."""

    def show(value: Any) -> None:
        from trainsh_colab import display  # noqa: PLC0415 - for people only

        getattr(display, name)(value)

    return show


@tool.command(name="list", show=_show("show_list"))
def list_() -> list[Runtime]:
    """List the connected runtimes, and whether each still answers."""
    from trainsh_colab import runtimes  # noqa: PLC0415 - help does without

    return runtimes.every()


@tool.command(show=_show("show_connected"), ensures=True)
def connect(
    name: Annotated[str, Arg("what you will call it", "NAME")] = "colab",
    host: Annotated[str | None, Opt("the address that the cell printed", metavar="ADDRESS")] = None,
    port: Annotated[int | None, Opt("its port, with ngrok", metavar="PORT")] = None,
    tunnel: Annotated[Tunnel, Opt("the tunnel that the cell opens")] = "cloudflared",
    key: Annotated[
        str | None, Opt("the private key to log in with (default: the usual one)", metavar="FILE")
    ] = None,
    password: Annotated[
        bool, Opt("log in with a password, kept in the secret store, although there is a key")
    ] = False,
) -> Connected:
    """Connect a notebook's runtime: prints the cell to paste there, and asks for the address that it prints.

    The cell lets your ssh key in (without one, a password that is kept in the secret store) and opens a tunnel.
    For another runtime run the cell again, and connect again under the same name.

    \b
    train colab connect nb
    train colab connect nb --host something.trycloudflare.com
    train colab connect nb --host 0.tcp.ngrok.io --port 12345 --tunnel ngrok
    """
    from trainsh_colab.verbs import connecting  # noqa: PLC0415 - help does without

    return connecting.connect(name, host, port, tunnel, key, password, current())


@tool.command()
def ssh(
    name: Name = None,
    command: Annotated[list[str], Arg("what to run instead of a shell, after --", "COMMAND")] = [],  # noqa: B006
) -> Handover:
    """Open a shell on a runtime, or run a command there, using ssh directly."""
    from trainsh_base.tool.peer import find  # noqa: PLC0415 - help does without
    from trainsh_colab.verbs.finding import only  # noqa: PLC0415 - as above

    chosen = only(name, "NAME")
    return Handover(argv=[find("host"), "ssh", f"colab:{chosen}", *(["--", *command] if command else [])])


@tool.command()
def run(
    command: Annotated[list[str], Arg("the command; one word is a line for its shell", "COMMAND")],
    on: Annotated[str | None, Opt("the runtime (default: the only one)", metavar="NAME")] = None,
) -> Handover:
    """Run a command on a runtime and end with its status: train colab run nvidia-smi."""
    from trainsh_base.tool.peer import find  # noqa: PLC0415 - help does without
    from trainsh_colab.verbs.finding import only  # noqa: PLC0415 - as above

    return Handover(argv=[find("host"), "run", f"colab:{only(on, '--on NAME')}", "--", *command])


@tool.command(show=lambda gone: print(f"removed {gone.name}"))
def remove(
    name: Annotated[str, Arg("a connection", "NAME")],
    yes: Annotated[bool, Opt("do not ask", short="-y")] = False,
) -> Connection:
    """Forget a connection, and its password. The runtime itself goes on: to end it, train colab stop NAME."""
    from trainsh_colab.verbs import removing  # noqa: PLC0415 - help does without

    return removing.remove(name, yes, current())


@tool.command()
def resolve(ref: Annotated[str, Arg("a runtime", "NAME", kind="host")]) -> Target:
    """Say how a runtime is reached, for programs; exit 5 for one that was taken back."""
    from trainsh_colab.verbs import resolving  # noqa: PLC0415 - help does without

    return resolving.resolve(ref)


@tool.command(show=_show("show_verb"), ensures=True, fills="host", rents=True)
def pick(
    host: Annotated[str, Arg("the host of the recipe that it becomes", "HOST", kind="host")],
    name: Annotated[str | None, Opt("this runtime, not another", metavar="NAME")] = None,
    create: Annotated[
        bool, Opt("make a new one with Google's program; it costs compute units until it is stopped")
    ] = False,
    gpu: Annotated[Literal["T4", "L4", "G4", "A100", "H100"] | None, Opt("with create: its GPU")] = None,
    tpu: Annotated[Literal["v5e1", "v6e1"] | None, Opt("with create: its TPU")] = None,
    _job: Job = None,
) -> Verb:
    """Take a runtime for a host of a recipe: a connected one that is free, or a new one."""
    from trainsh_colab.verbs import picking  # noqa: PLC0415 - help does without

    return picking.pick(host, _job or "", name, create=create, gpu=gpu, tpu=tpu)


@tool.command(show=_show("show_verb"), ensures=True, releases="disk")
def stop(
    ref: Ref = None,
    timeout: Annotated[Duration, Opt("how long it may take", kind="duration")] = STOP_LIMIT,
    _job: Job = None,
    _hosts: Hosts = None,
) -> Verb:
    """Give a runtime back, with all that is on it, and return once it does not answer any longer."""
    from trainsh_colab.verbs import finding, stopping  # noqa: PLC0415 - help does without

    names = finding.meant(ref, _job, _hosts)
    said = [stopping.stop(name, float(timeout)) for name in names]
    return Verb(instance=Runtime(id=names[-1], state="gone"), message="; ".join(said))


@tool.command(show=_show("show_bill"))
def bill() -> Bill:
    """Show what costs compute units now: sessions of Google's program, by the price of your subscription.

    Of a notebook's runtime the price is not known.
    """
    from trainsh_colab import runtimes  # noqa: PLC0415 - help does without

    return Bill(now=[billed(row) for row in runtimes.every() if row.state == "running" and row.price_per_hour])


@tool.command()
def proxy(name: Annotated[str, Arg("a session of Google's program", "NAME")]) -> Handover:
    """Carry ssh's bytes to a session of Google's program, if it is still there: for ssh's ProxyCommand."""
    from trainsh_colab.google import reaching  # noqa: PLC0415 - help does without

    return Handover(argv=reaching.proxy_words(name))
