"""Regular expressions that are compiled when they are first used.

There are over sixty here, 0.2 ms each; a small recipe needs a third of them, and a run waits for it.
"""

import re
from typing import Any, cast


class _Later:
    """Stands for a compiled pattern; its methods become the compiled one's when the first is asked for."""

    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._text, self._flags)
        for method in ("match", "fullmatch", "search", "finditer", "findall", "split", "sub"):
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def lazy(text: str, flags: int = 0) -> re.Pattern[str]:
    """What `re.compile` gives, but later."""
    return cast("re.Pattern[str]", _Later(text, flags))
