"""The commands of train-sandbox, and how their answers are printed."""

from typing import Annotated, Literal

from trainsh_base.request import current
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Opt, Tool
from trainsh_base.tool.program import run as run_tool
from trainsh_sandbox.model import Down, Ended, Environment, Fault, Offered, State

tool = Tool("sandbox", "Rehearse recipes in a simulated cloud on this machine, at no cost")


def main() -> None:
    """Run train-sandbox."""
    run_tool(tool)


def _show_state(state: State) -> None:
    from trainsh_base.tool.display import fields, table  # noqa: PLC0415 - only output for people needs it

    if not state.up:
        print("down")
        return
    fields({
        "market": f"{state.url}, {state.offers} offers", "storage": state.storage, "isolation": state.isolation,
        "credit": f"${state.credit:.2f}, ${state.spent:.4f} spent",
        "faults": ", ".join(f"{name}={value}" for name, value in state.faults.items()),
    })  # fmt: skip
    if state.instances:
        table(state.instances)
    for warning in state.warnings:
        print(f"warning: {warning}")


def _show_up(state: State) -> None:
    _show_state(state)
    from trainsh_sandbox import shells  # noqa: PLC0415 - as above

    print(f"to use the sandbox in this shell: {shells.command()}")
    print(f"to leave it: {shells.command('--unset')}")


@tool.command(show=_show_up, ensures=True)
def up(
    offers: Annotated[int, Opt("the number of offers in the market", metavar="N")] = 300,
    seed: Annotated[
        int, Opt("the seed of the random market; the same seed gives the same market", metavar="N")
    ] = 7,
    speed: Annotated[
        float, Opt("speed up the clock by this factor, so that costs grow faster too", metavar="N")
    ] = 1.0,
    credit: Annotated[float, Opt("the account's credit, in dollars", metavar="USD")] = 100.0,
    rented: Annotated[
        int, Opt("the number of stopped instances that the account has at the start", metavar="N")
    ] = 1,
    machines: Annotated[bool, Opt("start a machine with sshd behind each instance")] = True,
    storage: Annotated[bool, Opt("serve buckets for r2: and s3: storages")] = True,
) -> State:
    """Start a sandbox, which runs until `train sandbox down`."""
    from trainsh_sandbox import control, places  # noqa: PLC0415 - so that the help is fast

    options = {
        "offers": offers,
        "seed": seed,
        "speed": speed,
        "credit": credit,
        "rented": rented,
        "machines": machines,
        "storage": storage,
    }
    control.up(places.sandbox_folder(), options)
    return status()


def _show_down(ended: Down) -> None:
    from trainsh_sandbox import places, shells  # noqa: PLC0415 - only output for people needs it

    print("down" if ended.was_up else "no sandbox was running")
    if places.is_set_here(places.sandbox_folder()):
        print(f"to use your own settings again in this shell: {shells.command('--unset')}")


@tool.command(show=_show_down, ensures=True)
def down() -> Down:
    """Stop the sandbox and remove its processes, mounts and files."""
    from trainsh_sandbox import control, places  # noqa: PLC0415 - so that the help is fast

    return Down(was_up=control.down(places.sandbox_folder()))


@tool.command(show=_show_state)
def status() -> State:
    """Show whether a sandbox runs, and its instances."""
    from trainsh_sandbox import control, places  # noqa: PLC0415 - so that the help is fast

    folder = places.sandbox_folder()
    running = places.find(folder)
    if running is None:
        return State(up=False)
    found = control.ask(folder, "GET", "/sandbox/status")
    return State(
        up=True, url=running.url, folder=str(folder), isolation=running.isolation, user=running.user,
        storage=running.storage, offers=found["offers"], credit=found["credit"], spent=found["spent"],
        time=found["time"], instances=found["instances"], faults=found["faults"], warnings=running.warnings,
    )  # fmt: skip


def _show_environment(found: Environment) -> None:
    from trainsh_sandbox import shells  # noqa: PLC0415 - only output for people needs it

    for note in found.notes:
        print(f"# {note}")
    for line in shells.lines(found):
        print(line)


@tool.command(show=_show_environment)
def env(
    unset: Annotated[bool, Opt("print the line that removes these variables from the shell")] = False,
    shell: Annotated[
        Literal["bash", "zsh", "fish"] | None,
        Opt("the shell that will read the output (default: the one that runs this command)"),
    ] = None,
) -> Environment:
    """Print the environment variables that make every tool use the sandbox: eval "$(train sandbox env)".

    To leave the sandbox in this shell: eval "$(train sandbox env --unset)". It also works once the sandbox is down.
    In fish: train sandbox env | source
    """
    from trainsh_sandbox import places, shells  # noqa: PLC0415 - so that the help is fast
    from trainsh_sandbox.instances.isolation import WAYS, Isolation  # noqa: PLC0415 - as above

    read_by = shell or shells.caller()
    if unset:
        return Environment(env={}, unset=places.variables(), shell=read_by)
    folder = places.sandbox_folder()
    running = places.need(folder)
    ways: dict[str, str] = dict(WAYS)
    way: Isolation | str = running.isolation
    env = places.environment(folder, running)
    if own := places.replaced(env):
        current().emit(
            "log", message=f"to have your own {', '.join(own)} again: open another shell, or set it again"
        )
    return Environment(env=env, notes=[f"isolation: {ways[way]}", *running.warnings], shell=read_by)


@tool.command(show=lambda ended: None, status=lambda ended: ended.exit)
def run(
    recipe: Annotated[str, Arg("a recipe's name or file", "RECIPE", kind="recipe")],
    option: Annotated[list[str], Arg("options of train recipe run, after --", "OPTION")] = [],  # noqa: B006
    keep: Annotated[bool, Opt("do not stop the sandbox afterwards")] = False,
) -> Ended:
    """Run a recipe in the sandbox. If no sandbox runs, one is started for the recipe and stopped afterwards."""
    from trainsh_sandbox import rehearsal  # noqa: PLC0415 - so that the help is fast

    return Ended(rehearsal.run(recipe, option, keep=keep, for_people=current().for_people))


@tool.command()
def offers(
    gpu: Annotated[str | None, Opt("only this model", metavar="NAME")] = None,
) -> list[Offered]:
    """List the offers in the market now, the cheapest first."""
    from trainsh_sandbox import rehearsal  # noqa: PLC0415 - so that the help is fast

    return rehearsal.offers(gpu)


@tool.command()
def fault(
    switch: Annotated[list[str], Arg("NAME=VALUE: a chance (0.2), calls (3x), on, a duration, off", "SWITCH")] = [],  # noqa: B006
    advance: Annotated[
        Duration | None, Opt("move the sandbox's clock forward by this time", metavar="TIME")
    ] = None,
) -> list[Fault]:
    """Switch faults on, or list them; `off` as the only argument switches all of them off.

    \b
    train sandbox fault http-429=0.2 stuck-loading instance-dies-after=30s
    train sandbox fault --advance 2h
    """
    from trainsh_sandbox import control, places  # noqa: PLC0415 - so that the help is fast
    from trainsh_sandbox.faults.switches import read  # noqa: PLC0415 - as above

    folder = places.sandbox_folder()
    if advance is not None:
        control.ask(folder, "POST", "/sandbox/advance", {"seconds": float(advance)})
    rows = control.ask(folder, "PUT", "/sandbox/faults", dict(read(switch)))
    return [Fault(**row) for row in rows]
