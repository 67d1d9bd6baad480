"""Values of --bwlimit and --jobs."""

import pytest

from trainsh_base.errors import UsageError
from trainsh_xfer.engines.rates import parse_rate


@pytest.mark.parametrize(
    ("text", "kib"),
    [
        ("500", 500),
        ("500k", 500),
        ("10M", 10240),
        ("1.5M", 1536),
        ("1G", 1 << 20),
        ("2MiB/s", 2048),
        ("0", 0),
        ("100b", 1),
    ],
)
def test_rates(text: str, kib: int) -> None:
    assert parse_rate(text) == kib


@pytest.mark.parametrize("text", ["", "fast", "-1", "1x", "10 M M"])
def test_no_rates(text: str) -> None:
    with pytest.raises(UsageError, match="not a rate"):
        parse_rate(text)
