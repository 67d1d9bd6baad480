"""Reads the values of `--bwlimit` and `--jobs`."""

from trainsh_base.errors import UsageError
from trainsh_base.system.units import parse_size


def parse_rate(text: str) -> int:
    """Parse a rate such as `500`, `500k` or `10M` into KiB/s.

    As in rsync and rclone, a number without a unit is in KiB/s, and 0 means that there is no limit.
    """
    plain = text.strip().removesuffix("/s")
    try:
        rate = float(plain) if plain.replace(".", "", 1).isdigit() else parse_size(plain) / 1024
    except UsageError:
        raise UsageError(
            f"not a rate: {text!r}", "write it like 500k, 10M or 1G (a second); 0 is no limit", code="bad_rate"
        ) from None
    return 0 if rate == 0 else max(1, round(rate))


def checked_jobs(number: int | None) -> int:
    """The number of files that may be copied at the same time, or 0 (the engine's default) if `number` is None.

    Raises UsageError if `number` is below 1.
    """
    if number is not None and number < 1:
        raise UsageError(f"--jobs must be 1 or more: {number}", code="usage")
    return number or 0
