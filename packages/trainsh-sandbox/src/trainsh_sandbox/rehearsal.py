"""Runs a recipe in a sandbox, and lists the offers of a sandbox."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from trainsh_base.errors import Conflict, MissingProgram, TrainError
from trainsh_base.request import current
from trainsh_base.system.installing import install_hint
from trainsh_base.system.paths import recipes_home
from trainsh_base.tool.peer import call, find
from trainsh_sandbox import control, places, shells
from trainsh_sandbox.model import Offered
from trainsh_sandbox.storage import LACKS

SHOW_LIMIT = 30.0  # seconds


def run(recipe: str, options: list[str], *, keep: bool, for_people: bool) -> int:
    """Run `train recipe run` in the sandbox's environment. Return its exit status."""
    recipe = _file(recipe)
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
            f"{install_hint('rclone')}\nthen, if a sandbox is up: train sandbox down", code="no_storage",
        )  # fmt: skip
    for warning in running.warnings:
        current().emit("log", message=f"warning: {warning}")
    words = [find("recipe"), "run", recipe, *options]
    environment = {**os.environ, **places.environment(folder, running)}
    output: Any = None if for_people else sys.stderr
    jobs = _jobs(folder)
    try:
        status = subprocess.run(words, env=environment, stdout=output, check=False).returncode
        made = set(_jobs(folder)) - set(jobs)
        left = bool(made) and (status != 0 or _machine_runs(folder) or _rented(folder, made))
    finally:
        if not was_up and not keep:
            control.down(folder)
    if left and environment["TRAINSH_HOME"] != os.environ.get("TRAINSH_HOME"):
        current().emit("log", message=_about_commands(kept=was_up or keep))
    return status


def _jobs(folder: Path) -> list[str]:
    """The names of the files in the folder of the sandbox's jobs."""
    found = folder / "home" / "jobs"
    return sorted(one.name for one in found.iterdir()) if found.is_dir() else []


def _machine_runs(folder: Path) -> bool:
    """Whether a machine of the sandbox runs. False if the sandbox does not answer."""
    try:
        return any(one["gpu_billed"] for one in control.ask(folder, "GET", "/sandbox/status")["instances"])
    except TrainError:
        return False


def _rented(folder: Path, jobs: set[str]) -> bool:
    """Whether one of these jobs rented a machine. Its run may have printed the command that deletes the machine."""
    journals = [folder / "home" / "jobs" / job / "events.jsonl" for job in jobs]
    return any(b'"event":"instance"' in journal.read_bytes() for journal in journals if journal.is_file())


def _about_commands(*, kept: bool) -> str:
    """A text about the commands at the end of a run's output, which stop a machine or resume the job.

    The text tells how to use these commands, or that they can no longer be used.
    """
    if kept:
        return (
            "The job and its machines are in the sandbox, and cost nothing. Before you use the commands above: "
            f"{shells.command()}"
        )
    return (
        "The sandbox is gone, and the job and its machines with it: nothing runs, nothing costs, and the commands "
        "above no longer apply. To keep the sandbox after a run: train sandbox run --keep RECIPE"
    )


def _file(recipe: str) -> str:
    """The path of the recipe's file.

    The file may be in the user's recipes folder, which tools in the sandbox do not see. If no file is found,
    `train recipe show` is called outside of the sandbox, so that the user gets its error "not found". Inside the
    sandbox, that error would name the sandbox's folders instead of the user's.
    """
    name = recipe.removesuffix(".recipe") + ".recipe"
    kept, here = recipes_home() / name, Path(name)
    order = (Path(recipe),) if "/" in recipe else (here, kept) if recipe == name else (kept, here)
    found = next((str(one) for one in order if one.is_file()), None)
    if found is None:
        call("recipe", "show", {"name": recipe}, timeout=SHOW_LIMIT)
    return found or recipe


def _buckets(recipe: str) -> str:
    """The first bucket that a recipe's file names.

    It is "" if the file names no bucket or cannot be read.
    """
    try:
        text = Path(recipe).read_text(errors="replace")
    except OSError:
        return ""
    found = re.search(r"^[^#\n]*?\b((?:r2|s3):[\w.-]+)", text, re.MULTILINE)
    return found[1] if found else ""


def offers(gpu: str | None) -> list[Offered]:
    """Up to 64 offers of the market, sorted by price."""
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
