"""The program train-recipe. The subpackage `commands` has its commands.

The help lists the commands in the order of the imports below.
"""

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
