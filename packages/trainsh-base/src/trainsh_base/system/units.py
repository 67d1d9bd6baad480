"""Parses and formats durations, sizes and booleans as people write them."""

import re

import msgspec

from trainsh_base.errors import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = r"(?:\d+(?:\.\d+)?[smhd])+"
_PART = r"(\d+(?:\.\d+)?)([smhd])"
_SIZE = r"(\d+(?:\.\d+)?)\s*(?:([kmgtp])i?)?b?"

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Duration(float):
    """A parameter type for seconds. Its values are given as a number, or as text such as `90s`, `5m`, `1h30m`."""


def parse_duration(text: str | float) -> float:
    """Return the seconds in `30s`, `5m`, `2h`, `1d`, `1h30m` or a bare number. Raises UsageError if not above 0."""
    seconds = _seconds(str(text).strip())
    if seconds is None or not 0 < seconds < float("inf"):
        raise UsageError(
            f"not a duration: {str(text)!r}", "write it like 30s, 5m, 2h, 1h30m or 300", code="bad_duration"
        )
    return seconds


def _seconds(text: str) -> float | None:
    if re.fullmatch(_DURATION, text):
        return sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, text))
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    return None


def format_duration(seconds: float) -> str:
    """Format seconds in at most two units, such as `0.4s`, `12s`, `3m 5s`, `2h 0m` or `1d 3h`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, secs = divmod(rest, 60)
    if whole < 60:
        return f"{whole}s"
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (secs, "s")]
    while parts[0][0] == 0:
        parts.pop(0)
    return " ".join(f"{number}{unit}" for number, unit in parts[:2])


def parse_size(text: str | int) -> int:
    """Return the bytes in a size such as `10`, `4k`, `16M` or `2GiB`. Units are powers of 1024, as for rsync."""
    found = re.fullmatch(_SIZE, str(text).strip(), re.IGNORECASE)
    if not found:
        raise UsageError(f"not a size: {str(text)!r}", "write it like 512k, 16M or 1.5G", code="bad_size")
    power = " kmgtp".index((found[2] or " ").lower())
    return int(float(found[1]) * 1024**power)


def format_size(count: float) -> str:
    """Format bytes as `312 B`, `4.0 KiB`, `1.2 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def parse_truth(text: str) -> bool:
    """Return True for true, yes, on, 1 and False for false, no, off, 0, in any case. Else raise UsageError."""
    word = text.strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise UsageError(f"neither true nor false: {text!r}", "write true or false", code="bad_truth")
    return word in _TRUE


def decode(kind: type, value: object) -> object:
    """Decode the framework's own parameter types from JSON values (a msgspec `dec_hook`)."""
    if kind is Duration:
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            return Duration(parse_duration(value))
        raise msgspec.ValidationError(f"Expected a duration, got {type(value).__name__}")
    raise NotImplementedError(kind)
