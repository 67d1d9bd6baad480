"""What every test may use: machines to connect to, on this one (tests/world)."""

import faulthandler
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).parent / "tests" / "world"))

pytest_plugins = ["trainsh_world"]

# Programs inherit which signals are ignored: SIGINT in the background of a script, SIGHUP under nohup. Those that
# the tests start have to meet Ctrl-C as a person's do.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
# Who gives up on the tests (`timeout`, a CI that cancels) ends them with SIGTERM: what they started ends with them,
# as after Ctrl-C.
signal.signal(signal.SIGTERM, signal.default_int_handler)


# Every run tries the same examples, and none has a time limit, so that the result depends neither on chance nor on
# how busy the machine is. HYPOTHESIS=explore tries others.
hypothesis.settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS", "suite"))


# A test that takes longer than this, with what it sets up, waits for something that never comes. Then all stacks
# are printed, and this process ends. So the run ends even if a wait of a test has no limit of its own.
LONGEST = float(os.environ.get("LONGEST_TEST", "1200"))
_stderr = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the real stderr, because pytest captures it during a test."""
    config.stash[_stderr] = os.dup(2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Give the test LONGEST seconds."""
    faulthandler.dump_traceback_later(LONGEST, exit=True, file=item.config.stash[_stderr])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that hold slow tests first, then those with the most tests.

    Several workers take whole files in this order: a long file at the end would leave the others without work.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    count = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in slow, -count[item.path], item.path))
