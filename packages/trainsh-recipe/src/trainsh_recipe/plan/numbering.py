"""Numbers steps: "7", or "7.2" for the second step of parallel block 7. `finally` continues the numbering."""

import msgspec

from trainsh_base.system.step_numbers import file_number
from trainsh_recipe.plan.document import AnyStep, Parallel, Plan


class Numbered(msgspec.Struct, frozen=True):
    """A step with its number: "7", or "7.2" for the second step of parallel block 7."""

    id: str
    step: AnyStep
    closing: bool
    children: list["Numbered"] = []

    @property
    def file(self) -> str:
        """The number in the names of files and of steps on hosts, with zeros so that it sorts: "007", "007.02"."""
        return file_number(self.id)


def numbered(plan: Plan) -> tuple[list[Numbered], list[Numbered]]:
    """Return (the steps, the steps of `finally`), with their numbers."""
    count = len(plan.steps)
    steps = [_number(str(place), step, False) for place, step in enumerate(plan.steps, 1)]
    return steps, [_number(str(place), step, True) for place, step in enumerate(plan.finally_, count + 1)]


def _number(id: str, step: AnyStep, closing: bool) -> Numbered:
    inner = step.steps if isinstance(step, Parallel) else []
    return Numbered(
        id, step, closing, [_number(f"{id}.{place}", each, closing) for place, each in enumerate(inner, 1)]
    )


def all_of(plan: Plan) -> list[Numbered]:
    """Return all steps of a plan, including those of `finally` and those in blocks."""
    first, last = numbered(plan)
    return every([*first, *last])


def leaves(steps: list[Numbered]) -> list[Numbered]:
    """Return the steps with each block replaced by the steps in it."""
    return [each for each in steps if not isinstance(each.step, Parallel)]


def every(steps: list[Numbered]) -> list[Numbered]:
    """Return the steps with each block followed by the steps in it."""
    return [each for step in steps for each in (step, *every(step.children))]
