"""Prints runtimes and connections for people."""

from typing import Any

from trainsh_base.provider.bill import Bill
from trainsh_base.tool.display import nothing, remark, table
from trainsh_colab.model import Connected, Runtime

EMPTY = "No Colab runtime yet. Connect one: train colab connect NAME"
WAYS = {"cloudflared": "cloudflared", "ngrok": "ngrok", "google": "Google's program"}


def show_list(rows: list[Runtime]) -> None:
    """Print a line for each runtime."""
    if not rows:
        nothing(EMPTY)
        return
    table([
        {
            "name": row.id, "state": row.state, "through": WAYS[row.through], "address": row.address,
            "GPU": row.gpu, "job": row.job, "problem": row.problem,
        }
        for row in rows
    ])  # fmt: skip


def show_connected(connected: Connected) -> None:
    """Print the cell if the address is not known yet. Otherwise print what to do next."""
    if connected.cell:
        print(connected.cell, end="")
        next_ = f"train colab connect {connected.name} --host ADDRESS"
        remark(f"paste that into a cell of the notebook and run it; then: {next_}")
    elif connected.state == "running":
        print(f"{connected.name} answers. Next: train colab ssh {connected.name}")
    else:
        print(f"{connected.name} is saved, but does not answer yet: {connected.problem}")


def show_bill(bill: Bill) -> None:
    """Print a line for each runtime that costs compute units."""
    if not bill.now:
        print("No runtime of Google's program costs anything now.")
        return
    rows = [{"name": row.id, "GPU": row.gpu, "per hour": f"{row.per_hour:.4f} {row.currency}"} for row in bill.now]
    table([row | {"end it": one.end} for row, one in zip(rows, bill.now, strict=True)])


def show_verb(verb: Any) -> None:
    """Print the message in a verb's answer, if there is one."""
    if verb.message:
        print(verb.message)
