"""The main function of a tool. As the arguments tell, it runs `serve` or the command line for people."""

import os
import signal
import sys
from collections.abc import Iterable
from typing import NoReturn

from trainsh_base.tool.declare import Tool
from trainsh_base.tool.faces.interrupts import quick_interrupts
from trainsh_base.tool.spares import VARIABLE as SPARE


def run(tool: Tool, argv: Iterable[str] | None = None) -> NoReturn:
    """Run the program `train-NAME` with `argv` (default: the command line), and exit with its status."""
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        # if SIGCHLD were still ignored, the status of every child would be lost
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    words = list(sys.argv[1:] if argv is None else argv)
    quick_interrupts(True)
    if words == ["serve"]:
        from trainsh_base.tool.faces.serve import main as serve  # noqa: PLC0415 - one face is loaded, not three

        if waiting := os.environ.pop(SPARE, ""):
            from trainsh_base.tool.spares.waiting import serve_clients  # noqa: PLC0415 - for spares only

            serve_clients(waiting, tool)
        # processes that this process starts must not get these variables
        for name in ("TRAINSH_TYPED", "TRAINSH_SHORTCUT"):
            os.environ.pop(name, None)
        serve(tool)
    from trainsh_base.tool.faces.boundary import main as people  # noqa: PLC0415 - as above

    people(tool, words)
