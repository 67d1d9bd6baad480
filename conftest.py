"""What every test may use: machines to connect to, on this one (tests/world)."""

import signal
import sys
from pathlib import Path

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
