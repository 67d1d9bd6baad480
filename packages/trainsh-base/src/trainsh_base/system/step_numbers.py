"""How steps and attempts are named: "7.2" in a recipe, "007.02" in files, "007.02-1" (attempt 1) on hosts."""

import re

_ATTEMPT = re.compile(r"\bstep (\d{3,})(?:\.(\d{2,}))?-\d+\b")


def in_recipe(text: str) -> str:
    """The text of a message with "step 7.2" in the place of "step 007.02-1"."""
    return _ATTEMPT.sub(lambda found: f"step {int(found[1])}" + (f".{int(found[2])}" if found[2] else ""), text)


def file_number(id: str) -> str:
    """A step's number, padded so that it sorts: "7.2" is "007.02"."""
    first, _, second = id.partition(".")
    return f"{int(first):03d}" + (f".{int(second):02d}" if second else "")


def attempt_name(id: str, attempt: int) -> str:
    """The name of an attempt of a step on its host: "007.02-1"."""
    return f"{file_number(id)}-{attempt}"


def order(name: str) -> list[int]:
    """The numbers in an attempt's name, for comparing: "007.02-1" is [7, 2, 1]."""
    file, _, attempt = name.rpartition("-")
    return [int(part) for part in (*file.split("."), attempt)]
