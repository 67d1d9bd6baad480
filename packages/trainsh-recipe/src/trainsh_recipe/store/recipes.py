"""Finds and reads recipes, by name or path."""

import re
from pathlib import Path

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.paths import recipes_home
from trainsh_base.system.suggest import nearest

SUFFIX = ".recipe"
BEGINNING = 1 << 16  # how many characters of a recipe are searched for its first comment


def is_path(name: str) -> bool:
    """Return whether `name` is a path, because it contains a slash or ends in `.recipe`."""
    return "/" in name or name.endswith(SUFFIX)


def find(name: str) -> Path:
    """Return the recipe's file. Raises NotFound, which lists the folders that were searched.

    `NAME.recipe` is a file of this folder, else the kept recipe NAME.
    """
    if is_path(name):
        path = Path(name).expanduser()
        if path.is_file():
            return path
        if kept_one := kept(name):
            return kept_one
        raise NotFound(f"there is no recipe {name}", _near_file(path), code="no_recipe", data={"looked": [name]})
    path = recipes_home() / (name + SUFFIX)
    if path.is_file():
        return path
    here = Path(name + SUFFIX)
    if here.is_file():
        return here
    example = Path("examples") / here
    hint = f"there is an example: train recipe run ./{example}" if example.is_file() else _near_name(name)
    raise NotFound(
        f"there is no recipe {name!r}: no {path}, and none in this folder", hint,
        code="no_recipe", data={"looked": [str(path), str(here)]},
    )  # fmt: skip


def kept(name: str) -> Path | None:
    """Return the file of the recipe with this name in the settings folder, or None if there is none."""
    path = recipes_home() / (name.removesuffix(SUFFIX) + SUFFIX)
    return path if "/" not in name and path.is_file() else None


def _near_file(path: Path) -> str:
    try:
        there = [each.name for each in path.parent.iterdir() if each.suffix == SUFFIX]
    except OSError:
        return f"there is no folder {path.parent}"
    found = nearest(path.name, there)
    return f"did you mean {path.with_name(found)}?" if found else "to list recipes: train recipe list"


def _near_name(name: str) -> str:
    found = nearest(name, [path.stem for path in (*named(), *here())])
    return f"did you mean {found}?" if found else "to list recipes: train recipe list; a file is given by its path"


def named() -> list[Path]:
    """Return the recipes in the settings folder, sorted."""
    folder = recipes_home()
    return sorted(folder.glob("*" + SUFFIX)) if folder.is_dir() else []


def here() -> list[Path]:
    """Return the recipes in the current folder, sorted."""
    try:
        return sorted(Path().glob("*" + SUFFIX))
    except OSError:
        return []


def about(path: Path) -> str:
    """Return the text of a recipe's first comment that is not empty, or "" if there is none."""
    try:
        with path.open(errors="replace") as file:
            lines = file.read(BEGINNING).splitlines()
    except OSError:
        return ""
    comments = (line.lstrip("# ").strip() for line in lines if line.startswith("#") and not line.startswith("#!"))
    return next((comment for comment in comments if comment), "")


def read(path: Path) -> bytes:
    """Return the recipe's bytes. Raises UsageError if the file cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", code="unreadable") from None


def check_name(name: str) -> str:
    """Check that a recipe may have this name, because it becomes a file name, and return the name."""
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise UsageError(
            f"a recipe cannot be called {name!r}", "use letters, digits, - and _, and no blanks", code="bad_name"
        )
    return name
