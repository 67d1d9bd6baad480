"""How the stages of a test look to people."""

import sys

from trainsh_base.tool.display import paint
from trainsh_host.model import Stage

COLOURS = {"ok": "32", "failed": "1;31", "absent": "33", "skipped": "2"}


def print_stages(stages: list[Stage]) -> None:
    """A line a stage, the fix below what failed."""
    width = max((len(stage.stage) for stage in stages), default=0)
    for stage in stages:
        state = paint(f"{stage.state:<7}", COLOURS[stage.state], sys.stdout)
        took = f"  ({stage.ms} ms)" if stage.ms is not None else ""
        print(f"{stage.stage:<{width}}  {state}  {stage.detail}{took}".rstrip())
        for line in stage.fix.splitlines():
            print(f"{'':<{width}}           -> {line}")
