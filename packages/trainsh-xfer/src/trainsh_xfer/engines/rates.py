"""Reads the values of `--bwlimit` and `--jobs`."""

from trainsh_base.errors import UsageError
from trainsh_base.system.units import parse_size


def parse_rate(text: str) -> int:
    """Parse a rate such as `500`, `500k` or `10M` into KiB/s. A bare number is in KiB/s, and 0 is no limit, as in
    rsync and rclone."""
    plain = text.strip().removesuffix("/s")
    try:
        rate = float(plain) if plain.replace(".", "", 1).isdigit() else parse_size(plain) / 1024
    except UsageError:
        raise UsageError(
            f"not a rate: {text!r}", "write it like 500k, 10M or 1G (a second); 0 is no limit", code="bad_rate"
        ) from None
    return 0 if rate == 0 else max(1, round(rate))


def checked_jobs(number: int | None) -> int:
    """The number of files that may travel at the same time; 0 for the engine's own. Raises UsageError below 1."""
    if number is not None and number < 1:
        raise UsageError(f"--jobs must be 1 or more: {number}", code="usage")
    return number or 0
