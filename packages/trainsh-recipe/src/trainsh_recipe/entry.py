"""Where train-recipe begins: the tools of a run start while this process still loads its own modules."""

import sys

from trainsh_recipe import early


def main() -> None:
    """Run train-recipe."""
    early.start()
    _load_msgspec()
    from trainsh_recipe.cli import main as run  # noqa: PLC0415 - the tools start while it is read

    run()


def _load_msgspec() -> None:
    """Without typing_extensions, which it takes where it finds it and does not need from Python 3.11 on: 9 ms."""
    missing = "typing_extensions" not in sys.modules
    if missing:
        sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        import msgspec  # noqa: F401, PLC0415 - after the tools were started
    finally:
        if missing:
            del sys.modules["typing_extensions"]
