"""The entry point of train-recipe: starts the tools of a run before loading its own modules."""

from trainsh_base.system import spawn
from trainsh_recipe import prestart as early


def main() -> None:
    """Run train-recipe."""
    spawn.interrupts_end_at_once()
    early.start()
    from trainsh_recipe.cli import main as run  # noqa: PLC0415 - the tools start while it is read

    run()
