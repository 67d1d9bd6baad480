"""Values of options, typed: durations, counts, truth, ports, patterns; each says what is wrong with a bad one."""

import re
import warnings

from trainsh_dsl.diagnostics.shorten import shorten
from trainsh_dsl.text.patterns import lazy

_DURATION = lazy(r"(?:\d{1,9}(?:\.\d{1,9})?[smhd])+\Z")
_PART = lazy(r"(\d+(?:\.\d+)?)([smhd])")
_BARE = lazy(r"\d{1,12}(?:\.\d{1,9})?\Z")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# Patterns that are surely right: characters, plain escapes, plain sets and groups of those, each repeated at most
# once. Compiling a pattern to see whether it is right costs 100 us and more.
_SET = r"\[\^?(?>(?:[A-Za-z0-9_ .,:/%]|a-z|A-Z|0-9|\\[dDwWsS.])+)\]"
_ATOM = rf"(?:[^\\()\[\]{{}}*+?|^$]|\\[dDwWsS.\\()\[\]{{}}*+?|^$/:%-]|{_SET})"
_TIMES = r"(?>(?:[*+?]\??+|\{[1-9]\d?,?\})?)"
_GROUP = rf"\((?:\?:)?(?>(?:{_ATOM}{_TIMES}|[|^$])*)\)"
_PLAIN_PATTERN = lazy(rf"(?>(?:(?:{_ATOM}|{_GROUP}){_TIMES}|[|^$])*)\Z", re.DOTALL)
_RATE = lazy(r"\d+(?:\.\d+)?(?:[kmgt]i?)?b?\Z", re.IGNORECASE)
_NAME = lazy(r"[A-Za-z_][A-Za-z0-9_]*\Z")
TRUTH = {"true": True, "false": False, "yes": True, "no": False}
LONGEST_PATTERN = 10_000


class Bad(ValueError):
    """A value that is not of its type: `message` has the value in it, `hint` shows a good one."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def duration(text: str) -> float:
    """Seconds in `30s`, `5m`, `1h30m`, `300`; Bad for anything else and for what is not above 0."""
    seconds = None
    if _BARE.match(text):
        seconds = float(text)
    elif _DURATION.match(text):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if seconds is None:
        raise Bad(
            "E301", f"{shorten(text)} is not a duration", "write it like 30s, 5m, 2h, 1d, 1h30m, or 300 for seconds"
        )
    if not seconds > 0:
        raise Bad(
            "E301", f"{shorten(text)} is no time at all", "a duration is above 0; leave the option out for no limit"
        )
    return seconds


def count(text: str) -> int:
    """A whole number from 0."""
    if not re.fullmatch(r"\d{1,6}", text):
        raise Bad("E304", f"{shorten(text)} is not a number of times", "write a whole number such as 3")
    return int(text)


def truth(text: str) -> bool:
    """`true` or `false`."""
    if text.lower() not in TRUTH:
        raise Bad("E304", f"{shorten(text)} is neither true nor false", "write true or false")
    return TRUTH[text.lower()]


def port(text: str) -> int:
    """A port number."""
    if not re.fullmatch(r"\d{1,5}", text) or not 1 <= int(text) <= 65535:
        raise Bad("E304", f"{shorten(text)} is not a port", "write a number from 1 to 65535")
    return int(text)


def rate(text: str) -> str:
    """Bytes a second with a unit, as rsync and rclone both read it."""
    if not _RATE.match(text):
        raise Bad("E304", f"{shorten(text)} is not a bandwidth", "write bytes a second such as 500k, 10M or 1.5G")
    return text


def variable(text: str) -> str:
    """The name of a variable."""
    if not _NAME.match(text):
        raise Bad(
            "E306", f"{shorten(text)} is not a variable's name", "use letters, digits and _, not first a digit"
        )
    return text


def words(text: str) -> str:
    """Any text but none."""
    if text == "":
        raise Bad("E308", "the value is empty", "write something after =, or leave the option out")
    return text


def pattern(text: str) -> None:
    """Check a regular expression as Python reads it; Bad when it is none."""
    if len(text) <= LONGEST_PATTERN and _PLAIN_PATTERN.match(text):
        return
    if len(text) > LONGEST_PATTERN:
        raise Bad("E305", f"the pattern has {len(text)} characters", f"the longest has {LONGEST_PATTERN}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(text)
    except re.error as error:
        raise Bad("E305", f"{shorten(text)} is not a regular expression: {error}", _mend(text, error)) from None
    except (RecursionError, OverflowError, ValueError) as error:
        raise Bad("E305", f"{shorten(text)} is not a regular expression: {error}", "make it simpler") from None


def _mend(text: str, error: re.error) -> str:
    where = error.pos if error.pos is not None and error.pos < len(text) else None
    if where is not None and text[where] in "()[]{}*+?|":
        return f"write \\{text[where]} where the character itself is meant"
    return "the rules are those of Python's re module"
