"""The framework every train tool stands on: a command is a function that returns data, with three faces."""

import sys

VERSION = "1.0.0a1"


class _WithoutExtensions:
    """Keeps typing_extensions from msgspec, which takes it where it finds it: 9 ms of every tool's start.

    Python 3.11's own typing has all that msgspec looks for there. Everybody else gets it as ever.
    """

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        if name == "typing_extensions" and _importer() == "msgspec._utils":
            raise ModuleNotFoundError(f"not for msgspec: {name}", name=name)


def _importer() -> str:
    """The module that imports, behind the frames of the import system."""
    frame = sys._getframe(2)
    while frame.f_back and "importlib" in frame.f_globals.get("__name__", ""):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", ""))


sys.meta_path.insert(0, _WithoutExtensions)
