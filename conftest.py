"""What every test may use: machines to connect to, on this one (tests/world)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "tests" / "world"))

pytest_plugins = ["trainsh_world"]
