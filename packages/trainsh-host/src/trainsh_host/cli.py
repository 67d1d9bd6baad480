"""The executable train-host. Its commands are in `commands`, in the order of the help."""

import sys

from trainsh_base.tool.program import run as run_tool
from trainsh_host.adding.pasted import quoted
from trainsh_host.commands import configuring, looking, using
from trainsh_host.commands.parameters import tool

__all__ = ["configuring", "looking", "main", "tool", "using"]


def main() -> None:
    """Run train-host."""
    run_tool(tool, quoted(sys.argv[1:]))
