"""Using a sandbox: runs a recipe in it, and lists its offers."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from trainsh_base.errors import Conflict, MissingProgram
from trainsh_base.request import current
from trainsh_base.tool.peer import find
from trainsh_sandbox import control, places
from trainsh_sandbox.model import Offered
from trainsh_sandbox.storage import LACKS, install_command


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
    if not running.storage and (used := _buckets(recipe)):
        if not was_up and not keep:
            control.down(folder)
        raise MissingProgram(
            f"{recipe} uses {used}, and the sandbox has {LACKS}",
            f"{install_command()}\nthen, if a sandbox is up: train sandbox down", code="no_storage",
        )  # fmt: skip
    for warning in running.warnings:
        current().emit("log", message=f"warning: {warning}")
    words = [find("recipe"), "run", recipe, *options]
    environment = {**os.environ, **places.environment(folder, running)}
    output: Any = None if for_people else sys.stderr
    try:
        return subprocess.run(words, env=environment, stdout=output, check=False).returncode
    finally:
        if not was_up and not keep:
            control.down(folder)


def _buckets(recipe: str) -> str:
    """The first bucket that a recipe's file names; empty when there is none, or no such file."""
    try:
        text = Path(recipe).read_text(errors="replace")
    except OSError:
        return ""
    found = re.search(r"^[^#\n]*?\b((?:r2|s3):[\w.-]+)", text, re.MULTILINE)
    return found[1] if found else ""


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
