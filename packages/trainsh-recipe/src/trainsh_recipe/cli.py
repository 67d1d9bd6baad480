"""The program train-recipe. Its commands are in the subpackage `commands`; the help lists them in this order."""

from trainsh_base.tool.program import run as run_tool

# isort: off
from trainsh_recipe.commands import running
from trainsh_recipe.commands import listing
from trainsh_recipe.commands import started

# isort: on
from trainsh_recipe.commands.parameters import tool

__all__ = ["listing", "main", "running", "started", "tool"]


def main() -> None:
    """Run train-recipe."""
    run_tool(tool)
