"""The executable train-vast. Its commands are in `commands`, in the order of the help."""

from trainsh_base.tool.program import run as run_tool
from trainsh_vast.commands import looking, money, renting, states
from trainsh_vast.commands.parameters import tool

__all__ = ["looking", "main", "money", "renting", "states", "tool"]


def main() -> None:
    """Run train-vast."""
    run_tool(tool)
