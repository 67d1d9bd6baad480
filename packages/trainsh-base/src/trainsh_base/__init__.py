"""The framework of every train tool. A command is a function that returns data.

People call it on a command line, scripts call it there with `--json`, and programs call it over JSON-RPC.
"""

import sys

VERSION = "1.0.0a1"


class _WithoutExtensions:
    """Hides the module typing_extensions from msgspec, because msgspec would import it, which takes every tool 9
    ms.

    On Python 3.11 and later msgspec needs nothing from typing_extensions. Other modules can import it as usual.
    """

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        if name == "typing_extensions" and _importer() == "msgspec._utils":
            raise ModuleNotFoundError(f"not for msgspec: {name}", name=name)


def _importer() -> str:
    """Return the name of the module that is importing. The frames of the import system are skipped."""
    frame = sys._getframe(2)
    while frame.f_back and "importlib" in frame.f_globals.get("__name__", ""):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", ""))


sys.meta_path.insert(0, _WithoutExtensions)
