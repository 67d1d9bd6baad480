"""What train-tmux loads before it reads its first request: a recipe's first step waits for this."""

import subprocess
import sys
from importlib.util import find_spec

# Each of these takes 1 to 10 ms; train-tmux loads it when a request needs it.
LATER = (
    "click", "hashlib", "pathlib", "shlex", "shutil", "socket", "subprocess", "tempfile",
    "trainsh_base.remote.resolved.kept_target", "trainsh_base.remote.ssh", "trainsh_base.tool.faces.people",
    "trainsh_base.system.configuration.config", "trainsh_tmux.session.opening", "trainsh_tmux.step.conversation",
    "trainsh_tmux.wait.pattern",
)  # fmt: skip
RUN = "import sys; sys.argv = ['train-tmux', 'serve']; from trainsh_tmux.cli import main; main()"


def test_serve_loads_little_before_its_first_request() -> None:
    argv = [sys.executable, "-X", "importtime", "-c", RUN]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=60)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    names = {line.rpartition("|")[2].strip() for line in lines}
    assert "trainsh_tmux.remote.host" in names
    assert names & set(LATER) == set()
    assert all(map(find_spec, LATER))  # a module that was renamed would be missing for nothing
