"""Faults at random times, then resume: the result is the same as without faults, or a message tells what was lost.

`make faults` plays 300 schedules, `make test` a few. FAULTS=1234 plays the schedule of that seed, FAULTS=1000-1299
a range.
"""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
import schedule
from machine import can_restart

FIRST = 5000
FEW = [*range(5000, 5015), 5016, 5021, 5022, 5032]
SIDE_BY_SIDE = 3


def given(default: Iterable[int]) -> list[int]:
    """The seeds of FAULTS, else the default seeds."""
    first, _, last = os.environ.get("FAULTS", "").partition("-")
    return list(range(int(first), int(last or first) + 1)) if first else list(default)


def play_all(seeds: list[int]) -> None:
    """Play the seeds side by side. Put everything that is wrong into one message."""
    if not can_restart():
        pytest.skip("RESTARTS, LINKS AND DISKS ARE NOT TESTED HERE: it takes root and namespaces")
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        bad = [story for story in pool.map(schedule.play, seeds) if story.wrong]
    summary = "\n".join(str(story).partition("\n")[0] for story in bad)
    told = "\n\n".join(map(str, bad[:3]))
    assert not bad, (
        f"{len(bad)} of {len(seeds)} schedules; FAULTS=SEED make faults plays one again\n{summary}\n\n{told}"
    )


@pytest.mark.parametrize("remote", [False, True], ids=["here", "over ssh"])
def test_undisturbed(remote: bool) -> None:
    story = schedule.play(0, remote)
    assert not story.wrong and not story.strikes, str(story)


@pytest.mark.slow
def test_a_few_schedules() -> None:
    play_all(FEW)


@pytest.mark.faults
def test_schedules() -> None:
    play_all(given(range(FIRST, FIRST + 300)))
