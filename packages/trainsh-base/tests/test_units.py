"""Durations and sizes as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsh_base.errors import UsageError
from trainsh_base.system.units import format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400), ("1h30m", 5400), ("1m30s", 90), ("0.5s", 0.5),
        ("1.5h", 5400), ("90", 90), ("0.25", 0.25), (" 5m ", 300), (7, 7), (0.1, 0.1),
    ],
)  # fmt: skip
def test_a_duration_is_seconds(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-5", "5 m", "m", "5x", "1h 30m", "5ms", "inf", "nan", "1e3", "1:30"]
)
def test_what_is_no_duration_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(UsageError, match="not a duration: ") as caught:
        parse_duration(text)
    assert repr(text) in caught.value.message and "5m" in caught.value.hint


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0.4s"), (9.94, "9.9s"), (12, "12s"), (59.4, "59s"), (59.6, "1m 0s"), (185, "3m 5s"), (3600, "1h 0m"),
        (7261, "2h 1m"), (97200, "1d 3h"), (0, "0.0s"),
    ],
)  # fmt: skip
def test_a_duration_is_shown_in_two_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("10", 10), ("10b", 10), ("4k", 4096), ("4K", 4096), ("4KB", 4096), ("4KiB", 4096), ("16M", 16 << 20),
        ("1.5G", 3 << 29), ("2 GiB", 2 << 30), ("1T", 1 << 40), (512, 512), ("0", 0),
    ],
)  # fmt: skip
def test_a_size_is_bytes(text: str | int, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "k", "-1", "4x", "4 i", "4ib", "1e3", "4kk"])
def test_what_is_no_size_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(UsageError, match="not a size: "):
        parse_size(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (312, "312 B"), (4096, "4.0 KiB"), (1288490189, "1.2 GiB"), (1 << 50, "1024.0 TiB")],
)
def test_a_size_is_shown_with_its_unit(count: int, text: str) -> None:
    assert format_size(count) == text


@given(st.integers(1, 10**7))
def test_whole_seconds_come_back(seconds: int) -> None:
    assert parse_duration(str(seconds)) == seconds == parse_duration(f"{seconds}s")


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_a_usage_error(text: str) -> None:
    for parse in (parse_duration, parse_size):
        try:
            assert parse(text) >= 0
        except UsageError as error:
            assert error.hint
