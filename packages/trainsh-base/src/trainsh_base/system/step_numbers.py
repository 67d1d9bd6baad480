"""The names of steps and attempts: "7.2" in a recipe, "007.02" in files, "007.02-1" (attempt 1) on hosts."""

import re

_ATTEMPT = r"\bstep (\d{3,})(?:\.(\d{2,}))?-\d+\b"


def in_recipe(text: str) -> str:
    """Return a message with "step 007.02-1" replaced by "step 7.2", the number that the step has in the recipe."""
    return re.sub(_ATTEMPT, lambda found: f"step {int(found[1])}" + (f".{int(found[2])}" if found[2] else ""), text)


def file_number(id: str) -> str:
    """Return a step's number with leading zeros, so that names sort by number: "007.02" for "7.2"."""
    first, _, second = id.partition(".")
    return f"{int(first):03d}" + (f".{int(second):02d}" if second else "")


def attempt_name(id: str, attempt: int) -> str:
    """Return the name of an attempt of a step on its host, such as "007.02-1"."""
    return f"{file_number(id)}-{attempt}"


def order(name: str) -> list[int]:
    """Return the numbers in an attempt's name, for sorting: [7, 2, 1] for "007.02-1"."""
    file, _, attempt = name.rpartition("-")
    return [int(part) for part in (*file.split("."), attempt)]
