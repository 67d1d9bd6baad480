"""Using a sandbox: runs a recipe in it, and lists its offers."""

import os
import subprocess
import sys
from typing import Any

from trainsh_base.errors import Conflict
from trainsh_base.tool.peer import find
from trainsh_sandbox import control, places
from trainsh_sandbox.model import Offered


def run(recipe: str, options: list[str], *, keep: bool, for_people: bool) -> int:
    """Run `train recipe run` in the sandbox's environment; returns its exit status."""
    folder = places.sandbox_folder()
    was_up = places.find(folder) is not None
    running = control.up(folder, {})
    if running.isolation == "none":
        if not was_up and not keep:
            control.down(folder)
        raise Conflict(
            "this system allows no namespaces, and without them a recipe could touch your own files: "
            "the sandbox has no machines here",
            "on Linux: allow them (sysctl kernel.unprivileged_userns_clone=1), or be root outside of a container",
            code="no_isolation",
        )  # fmt: skip
    words = [find("recipe"), "run", recipe, *options]
    environment = {**os.environ, **places.environment(folder, running)}
    output: Any = None if for_people else sys.stderr
    try:
        return subprocess.run(words, env=environment, stdout=output, check=False).returncode
    finally:
        if not was_up and not keep:
            control.down(folder)


def offers(gpu: str | None) -> list[Offered]:
    """Up to 64 offers of the market, by price."""
    query: dict[str, Any] = {"order": [["dph_total", "asc"]], "allocated_storage": 10}
    if gpu:
        query["gpu_name"] = {"eq": gpu.replace("_", " ")}
    found = control.ask(places.sandbox_folder(), "POST", "/api/v0/bundles/", query)["offers"]
    return [
        Offered(
            id=row["id"], gpu=row["gpu_name"], count=row["num_gpus"], memory=row["gpu_ram"],
            price=round(row["dph_total"], 4), place=row["geolocation"], reliability=row["reliability"],
        )
        for row in found
    ]  # fmt: skip
