"""Creates and edits recipes: templates, the editor, the check afterwards."""

import os
import shlex
import sys
from pathlib import Path

from trainsh_base.errors import Conflict, NotFound, TrainError, UsageError
from trainsh_base.request import current
from trainsh_base.system.files import write_atomic
from trainsh_base.system.paths import recipes_home
from trainsh_base.system.suggest import did_you_mean
from trainsh_base.tool.peer import Peer
from trainsh_recipe.store import recipes

TEMPLATES = Path(__file__).with_name("templates")


def templates() -> list[str]:
    """Return the names of the templates."""
    return sorted(path.stem for path in TEMPLATES.glob("*.recipe"))


def create(name: str, template: str) -> Path:
    """Create a recipe from a template. Raises Conflict if a recipe of that name exists."""
    known = templates()
    if template not in known:
        raise NotFound(
            f"there is no template {template!r}", did_you_mean(template, known, f"there are {', '.join(known)}")
        )
    path = recipes_home() / (recipes.check_name(name.removesuffix(recipes.SUFFIX)) + recipes.SUFFIX)
    if path.exists():
        raise Conflict(
            f"there is a recipe {path.stem} already", f"edit it: train recipe edit {path.stem}", code="exists"
        )
    text = (TEMPLATES / f"{template}.recipe").read_text().replace("NAME", path.stem)
    write_atomic(path, text, mode=0o644)
    return path


def edit(path: Path) -> None:
    """Open the recipe in the editor. If it has errors afterwards, ask whether to open it again."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("there is no terminal for an editor", f"the file is {path}", code="no_terminal")
    while True:
        _editor(path)
        problem = check(path)
        if problem is None:
            return
        print(problem.message, file=sys.stderr)
        if current().ask("confirm", "Open it again?", default="yes", flag="") != "yes":
            raise problem


def _editor(path: Path) -> None:
    import subprocess  # noqa: PLC0415 - it needs the terminal, which proc.run does not give

    argv = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        done = subprocess.run([*argv, str(path)], check=False)
    except FileNotFoundError:
        raise NotFound(
            f"there is no editor {argv[0]}",
            f"choose one: EDITOR=nano train recipe edit {path.stem}",
            code="no_editor",
        ) from None
    if done.returncode:
        raise TrainError(f"{argv[0]} ended with status {done.returncode}", code="editor_failed")


def check(path: Path) -> TrainError | None:
    """Return the error that train-dsl reports for a recipe, or None if the recipe can run."""
    try:
        Peer("dsl").request("parse", {"file": str(path)}, timeout=60)
    except TrainError as error:
        if error.code != "recipe_invalid":
            raise
        return error
    return None
