"""Accidents of jobs that rent: nothing is billed without a message, or for more than two minutes beyond its limit.

`make faults` plays 100 accidents, `make test` ten. FAULTS=7007 plays the accident of that seed, FAULTS=7000-7020 a
range.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import accidents
import pytest

FIRST, ALL = 7000, 100
FEW = range(FIRST, FIRST + 10)
SIDE_BY_SIDE = 4


def play_all(seeds: list[int]) -> None:
    """Play the seeds side by side. Put everything that is wrong into one message."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        bad = [accident for accident in pool.map(accidents.play, seeds) if accident.wrong]
    assert not bad, f"{len(bad)} of {len(seeds)} accidents; FAULTS=SEED make faults plays one again\n" + "\n".join(
        map(str, bad[:5])
    )


@pytest.mark.slow
def test_a_few_accidents() -> None:
    play_all(list(FEW))


@pytest.mark.faults
def test_accidents() -> None:
    first, _, last = os.environ.get("FAULTS", "").partition("-")
    play_all(list(range(int(first), int(last or first) + 1)) if first else list(range(FIRST, FIRST + ALL)))
