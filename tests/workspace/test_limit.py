"""No wait of a test is without a limit."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_test_that_waits_for_ever_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_hangs.py").write_text("import threading\ndef test(): threading.Event().wait()\n")
    env = os.environ | {"PYTHONPATH": str(ROOT), "LONGEST_TEST": "1"}
    words = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", "test_hangs.py"]
    done = subprocess.run(words, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "Timeout (0:00:01)!" in done.stderr and "test_hangs.py" in done.stderr
