"""Parses and checks the values of options: durations, counts, booleans, ports, patterns."""

import re
import warnings

from trainsh_base.errors import UsageError
from trainsh_base.system.units import parse_duration, parse_size, parse_truth
from trainsh_dsl.diagnostics.shorten import shorten
from trainsh_dsl.text.patterns import lazy

_MONEY = lazy(r"(?:[A-Z]{3} ?|[$\u20ac\u00a3])?(\d{1,9}(?:\.\d{1,9})?)(?: ?[A-Z]{3}|[$\u20ac\u00a3])?\Z")
_LONGEST_NUMBER = 60
# `_PLAIN_PATTERN` matches regular expressions that are certainly valid. To check one of these, it need not be
# compiled, which would take at least 100 us. Such an expression consists of characters, plain escapes, plain sets,
# and groups of these. Each of these parts has at most one quantifier.
_SET = r"\[\^?(?>(?:[A-Za-z0-9_ .,:/%]|a-z|A-Z|0-9|\\[dDwWsS.])+)\]"
_ATOM = rf"(?:[^\\()\[\]{{}}*+?|^$]|\\[dDwWsS.\\()\[\]{{}}*+?|^$/:%-]|{_SET})"
_TIMES = r"(?>(?:[*+?]\??+|\{[1-9]\d?,?\})?)"
_GROUP = rf"\((?:\?:)?(?>(?:{_ATOM}{_TIMES}|[|^$])*)\)"
_PLAIN_PATTERN = lazy(rf"(?>(?:(?:{_ATOM}|{_GROUP}){_TIMES}|[|^$])*)\Z", re.DOTALL)
_RATE = lazy(r"\d+(?:\.\d+)?(?:[kmgt]i?)?b?\Z", re.IGNORECASE)
_NAME = lazy(r"[A-Za-z_][A-Za-z0-9_]*\Z")
LONGEST_PATTERN = 10_000
LONGEST_DURATION = 1e10  # seconds, more than three hundred years; clocks cannot represent longer durations


class Bad(ValueError):
    """A value has the wrong type. `message` quotes the value, and `hint` shows a valid value."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def duration(text: str) -> float:
    """The seconds in a duration such as `30s`, `5m`, `1h30m` or `300`.

    Raise `Bad` for any other text, and for a duration of 0 or less.
    """
    try:
        seconds = parse_duration(text[:_LONGEST_NUMBER])
        if seconds <= LONGEST_DURATION:
            return seconds
    except UsageError:
        pass
    if text.strip("0.smhd") == "" and "0" in text:
        raise Bad(
            "E301",
            f"{shorten(text)} is not above zero",
            "write a duration above 0; for no limit, remove the option",
        )
    raise Bad(
        "E301", f"{shorten(text)} is not a duration", "write it like 30s, 5m, 2h, 1d, 1h30m, or 300 for seconds"
    )


def count(text: str) -> int:
    """The whole number in a text. It must be 0 or more."""
    if not re.fullmatch(r"\d{1,6}", text):
        raise Bad("E304", f"{shorten(text)} is not a number of times", "write a whole number such as 3")
    return int(text)


def truth(text: str) -> bool:
    """The boolean that a text means: `true`, `false`, or another word that trainsh_base accepts for one of them."""
    try:
        return parse_truth(text)
    except UsageError:
        raise Bad("E304", f"{shorten(text)} is neither true nor false", "write true or false") from None


def size(text: str) -> int:
    """The bytes in a size such as `10G` or `512k`."""
    try:
        return parse_size(text[:_LONGEST_NUMBER])
    except UsageError:
        raise Bad("E304", f"{shorten(text)} is not a size", "write it like 512k, 16M or 1.5G") from None


def money(text: str) -> float:
    """The amount in a text.

    The text is a number, with or without a currency before or after it (`$0.40`, `0.40 EUR`).
    """
    found = _MONEY.match(text)
    if found is None:
        raise Bad("E304", f"{shorten(text)} is not an amount", "write a number such as 0.40")
    return float(found[1])


def port(text: str) -> int:
    """The port number in a text."""
    if not re.fullmatch(r"\d{1,5}", text) or not 1 <= int(text) <= 65535:
        raise Bad("E304", f"{shorten(text)} is not a port", "write a number from 1 to 65535")
    return int(text)


def rate(text: str) -> str:
    """A rate: bytes per second with a unit, in a form that both rsync and rclone accept."""
    if not _RATE.match(text):
        raise Bad("E304", f"{shorten(text)} is not a bandwidth", "write bytes a second such as 500k, 10M or 1.5G")
    return text


def variable(text: str) -> str:
    """The name of a variable."""
    if not _NAME.match(text):
        raise Bad(
            "E306",
            f"{shorten(text)} is not a variable's name",
            "use letters, digits and _; the first is not a digit",
        )
    return text


def words(text: str) -> str:
    """Any text that is not empty."""
    if text == "":
        raise Bad("E308", "the value is empty", "write something after =, or remove the option")
    return text


def pattern(text: str) -> None:
    """Check that a text is a regular expression of Python. Raise `Bad` if it is not."""
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
        return f"write \\{text[where]} for the character itself"
    return "the rules are those of Python's re module"
