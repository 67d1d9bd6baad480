"""Shows the estimate of `show --cost`."""

from trainsh_base.system.printable import visible
from trainsh_base.system.units import format_duration
from trainsh_base.tool.display import remark, table
from trainsh_recipe.model import RecipeCost, StepCost
from trainsh_recipe.store import rented


def show(name: str, found: RecipeCost) -> None:
    """Print a row for each renting step, and why there is no upper bound."""
    if not found.machines:
        remark(f"{name} rents nothing.")
        return
    table([_row(each) for each in found.machines])
    for each in found.machines:
        if each.storage_per_hour:
            price = rented.money(each.storage_per_hour, each.currency)
            print(
                f"Step {each.step}: the disk ({each.disk:g} GB) costs {price} an hour, also while the machine "
                f"is stopped."
            )
    for why in found.unlimited:
        remark(visible(why))


def _row(each: StepCost) -> dict[str, object]:
    price, most = each.price_per_hour, each.most
    return {
        "step": each.step, "host": ", ".join(each.hosts), "offers": each.offers or "none",
        "best": visible(each.description),
        "an hour": "" if price is None else rented.money(price, each.currency),
        "longest": "" if each.longest is None else format_duration(each.longest),
        "at most": "" if most is None else rented.money(most, each.currency),
        "note": visible(each.note),
    }  # fmt: skip
