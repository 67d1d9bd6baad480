"""The commands of train-colab, and how their answers are printed."""

from typing import Annotated, Any, Literal

from trainsh_base.provider.bill import Bill, billed
from trainsh_base.remote.target import Target
from trainsh_base.request import current
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Handover, Opt, Tool
from trainsh_base.tool.program import run as run_tool
from trainsh_colab.model import Connected, Connection, Runtime, Tunnel, Verb

tool = Tool("colab", "Google Colab: use a notebook as a machine, through a tunnel", provides=("hosts",))

STOP_LIMIT = Duration(120)
Name = Annotated[str | None, Arg("a runtime (default: the only one): see train colab list", "NAME")]
Ref = Annotated[
    str | None, Arg("a runtime, or in a recipe @HOST (default in a recipe: the job's runtime)", "NAME", kind="host")
]
Job = Annotated[str | None, Opt("the job that holds the runtime; recipes set this", name="--job", metavar="JOB")]
Hosts = Annotated[
    dict[str, Any] | None,
    Opt("each host of the recipe with its machine; recipes set this", name="--hosts", metavar="NAME=SPEC"),
]


def main() -> None:
    """Run train-colab."""
    run_tool(tool)


def _show(name: str) -> Any:
    """Return the function `name` of the module `display`. The module is imported when the function is called."""

    def show(value: Any) -> None:
        from trainsh_colab import display  # noqa: PLC0415 - for people only

        getattr(display, name)(value)

    return show


@tool.command(name="list", show=_show("show_list"))
def list_() -> list[Runtime]:
    """List the connected runtimes, and whether each one still answers."""
    from trainsh_colab import runtimes  # noqa: PLC0415 - help does without

    return runtimes.every()


@tool.command(show=_show("show_connected"), ensures=True)
def connect(
    name: Annotated[str, Arg("the name of the runtime", "NAME")] = "colab",
    host: Annotated[str | None, Opt("the address that the cell printed", metavar="ADDRESS")] = None,
    port: Annotated[int | None, Opt("the port of the address, with ngrok", metavar="PORT")] = None,
    tunnel: Annotated[Tunnel, Opt("the tunnel that the cell opens")] = "cloudflared",
    key: Annotated[
        str | None, Opt("the private key to log in with (default: the usual one)", metavar="FILE")
    ] = None,
    password: Annotated[
        bool, Opt("log in with a password, stored in train secrets, even if there is a key")
    ] = False,
) -> Connected:
    """Connect a notebook's runtime: print a cell to paste into the notebook, and ask for the address that the cell
    prints.

    The cell allows logins with your ssh key (if you have none, with a password, stored in train secrets) and opens
    a tunnel. If you get another runtime, run the cell again and connect again under the same name.

    train colab connect nb
    train colab connect nb --host something.trycloudflare.com
    train colab connect nb --host 0.tcp.ngrok.io --port 12345 --tunnel ngrok
    """
    from trainsh_colab.verbs import connecting  # noqa: PLC0415 - help does without

    return connecting.connect(name, host, port, tunnel, key, password, current())


@tool.command()
def ssh(
    name: Name = None,
    command: Annotated[list[str], Arg("the command to run instead of a shell, after --", "COMMAND")] = [],  # noqa: B006
) -> Handover:
    """Open a shell on a runtime, or run a command there, using ssh directly."""
    from trainsh_base.tool.peer import find  # noqa: PLC0415 - help does without
    from trainsh_colab.verbs.finding import only  # noqa: PLC0415 - as above

    chosen = only(name, "NAME")
    return Handover(argv=[find("host"), "ssh", f"colab:{chosen}", *(["--", *command] if command else [])])


@tool.command()
def run(
    command: Annotated[
        list[str], Arg("the command; a single argument is run as a line by the shell there", "COMMAND")
    ],
    on: Annotated[str | None, Opt("the runtime (default: the only one)", metavar="NAME")] = None,
) -> Handover:
    """Run a command on a runtime, and exit with its status: train colab run nvidia-smi."""
    from trainsh_base.tool.peer import find  # noqa: PLC0415 - help does without
    from trainsh_colab.verbs.finding import only  # noqa: PLC0415 - as above

    return Handover(argv=[find("host"), "run", f"colab:{only(on, '--on NAME')}", "--", *command])


@tool.command(show=lambda gone: print(f"removed {gone.name}"))
def remove(
    name: Annotated[str, Arg("a connection", "NAME")],
    yes: Annotated[bool, Opt("do not ask", short="-y")] = False,
) -> Connection:
    """Remove a connection and its stored password. The runtime keeps running; to end it: train colab stop NAME."""
    from trainsh_colab.verbs import removing  # noqa: PLC0415 - help does without

    return removing.remove(name, yes, current())


@tool.command()
def resolve(ref: Annotated[str, Arg("a runtime", "NAME", kind="host")]) -> Target:
    """Print how a runtime is reached, for programs; exit 5 if Google has taken the runtime back."""
    from trainsh_colab.verbs import resolving  # noqa: PLC0415 - help does without

    return resolving.resolve(ref)


@tool.command(show=_show("show_verb"), ensures=True, fills="host", rents=True)
def pick(
    host: Annotated[str, Arg("the recipe's host for which to pick a runtime", "HOST", kind="host")],
    name: Annotated[str | None, Opt("take this runtime", metavar="NAME")] = None,
    create: Annotated[
        bool, Opt("create a new runtime with Google's program; it costs compute units until it is stopped")
    ] = False,
    gpu: Annotated[
        Literal["T4", "L4", "G4", "A100", "H100"] | None, Opt("with create: the GPU of the new runtime")
    ] = None,
    tpu: Annotated[Literal["v5e1", "v6e1"] | None, Opt("with create: the TPU of the new runtime")] = None,
    _job: Job = None,
) -> Verb:
    """Pick a runtime for a host of a recipe: a free one that is connected, or a new one."""
    from trainsh_colab.verbs import picking  # noqa: PLC0415 - help does without

    return picking.pick(host, _job or "", name, create=create, gpu=gpu, tpu=tpu)


@tool.command(show=_show("show_verb"), ensures=True, releases="disk")
def stop(
    ref: Ref = None,
    timeout: Annotated[Duration, Opt("the time limit", kind="duration")] = STOP_LIMIT,
    _job: Job = None,
    _hosts: Hosts = None,
) -> Verb:
    """Give a runtime back, which deletes all its files, and return when it no longer answers."""
    from trainsh_colab.verbs import finding, stopping  # noqa: PLC0415 - help does without

    names = finding.meant(ref, _job, _hosts)
    said = [stopping.stop(name, float(timeout)) for name in names]
    return Verb(instance=Runtime(id=names[-1], state="gone"), message="; ".join(said))


@tool.command(show=_show("show_bill"))
def bill() -> Bill:
    """Show the sessions of Google's program, which cost compute units now, with the price in your subscription.

    The price of a notebook's runtime is not known.
    """
    from trainsh_colab import runtimes  # noqa: PLC0415 - help does without

    return Bill(now=[billed(row) for row in runtimes.every() if row.state == "running" and row.price_per_hour])


@tool.command()
def proxy(name: Annotated[str, Arg("a session of Google's program", "NAME")]) -> Handover:
    """Connect ssh to a session of Google's program, if the session still exists: for ssh's ProxyCommand."""
    from trainsh_colab.google import reaching  # noqa: PLC0415 - help does without

    return Handover(argv=reaching.proxy_words(name))
