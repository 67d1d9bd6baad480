"""Regular expressions that are compiled on first use.

The package has over sixty of them, and compiling one takes 0.2 ms. A small recipe needs only a third of them, so
compiling all at the start would delay a run for nothing.
"""

import re
from typing import Any, cast


class _Later:
    """A pattern that is not compiled yet. The first use compiles it, and then this object has the methods of the
    compiled pattern.
    """

    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._text, self._flags)
        for method in ("match", "fullmatch", "search", "finditer", "findall", "split", "sub"):
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def lazy(text: str, flags: int = 0) -> re.Pattern[str]:
    """Like `re.compile`, but the pattern is compiled on first use."""
    return cast("re.Pattern[str]", _Later(text, flags))
