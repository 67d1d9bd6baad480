"""Commands about keys and money: keys, attach-key, cost, balance, bill."""

from typing import Annotated

from trainsh_base.provider.bill import Bill
from trainsh_base.tool.declare import Arg, Opt
from trainsh_vast.commands.parameters import Hosts, Job, MaybeId, account, meant, printed, tool
from trainsh_vast.model import Attached, Balance, Cost, Key


@tool.command(show=printed("show_keys"))
def keys(
    id_: Annotated[str | None, Arg("an instance (default: the account)", "ID", kind="instance")] = None,
) -> list[Key]:
    """List the ssh keys of the account or of an instance."""
    from trainsh_vast.verbs import keys as verbs  # noqa: PLC0415 - so that the help is fast

    service = account()
    return verbs.listed(service, meant(service, id_)[0] if id_ else None)


@tool.command(show=printed("show_attached"), ensures=True)
def attach_key(
    id_: Annotated[str | None, Arg("an instance (default: the account)", "ID", kind="instance")] = None,
    key: Annotated[
        str | None,
        Opt("the public key file (default: defaults.ssh_key_path, else the key in ~/.ssh)", metavar="FILE"),
    ] = None,
) -> Attached:
    """Attach the local ssh key to the account (for instances rented from now on) or to one instance."""
    from trainsh_vast.verbs import keys as verbs  # noqa: PLC0415 - so that the help is fast

    service = account()
    return verbs.attach(service, meant(service, id_)[0] if id_ else None, key)


@tool.command(show=printed("show_cost"))
def cost(id_: MaybeId = None, _job: Job = None, _hosts: Hosts = None) -> list[Cost]:
    """Show what an instance has cost, split into GPU, storage and bandwidth."""
    from trainsh_vast.verbs import billing  # noqa: PLC0415 - so that the help is fast

    service = account()
    return [billing.cost(service, number) for number in meant(service, id_, _job, _hosts)]


@tool.command(show=printed("show_balance"))
def balance() -> Balance:
    """Show the account's credit, and how many hours it lasts."""
    from trainsh_vast.verbs import billing  # noqa: PLC0415 - so that the help is fast

    return billing.balance(account())


@tool.command(show=printed("show_bill"))
def bill() -> Bill:
    """Show the running and stopped instances that cost money now, and what this month has cost."""
    from trainsh_vast.verbs import billing  # noqa: PLC0415 - so that the help is fast

    return billing.bill(account())
