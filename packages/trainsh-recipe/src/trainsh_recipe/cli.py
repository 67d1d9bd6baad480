"""The program train-recipe. The subpackage `commands` has its commands.

The help lists the commands in the order of the imports below.
"""

import sys

from trainsh_base.tool.program import run as run_tool
from trainsh_recipe import prestart
from trainsh_recipe.commands import running
from trainsh_recipe.commands.parameters import tool

__all__ = ["main", "running", "tool"]


def main() -> None:
    """Run train-recipe."""
    if not set(sys.argv[1:2]) & set(prestart.RUNS):
        # isort: off
        from trainsh_recipe.commands import listing  # noqa: F401, PLC0415 - a run does without
        from trainsh_recipe.commands import started  # noqa: F401, PLC0415 - as above

        # isort: on
    run_tool(tool)
