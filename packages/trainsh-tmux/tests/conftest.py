"""Each test has sessions of its own: a home and a tmux server."""

import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.register_assert_rewrite("tmux_box", "far_box")

from trainsh_world import end_all_marked  # noqa: E402

from tmux_box import LIMIT, Box  # noqa: E402
from trainsh_tmux import cli  # noqa: E402

BIN = Path(sys.executable).parent


def _too_long(*_: object) -> None:
    raise AssertionError(f"the test took longer than {LIMIT} seconds")


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """This machine with a home of its own."""
    folder = Path(tempfile.mkdtemp(prefix="tt-", dir="/tmp"))
    for name in ("home", "tmux", "run"):
        (folder / name).mkdir(mode=0o700)
    for key in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "TMUX", "TMUX_PANE", "PROMPT_COMMAND", "BASH_ENV", "ENV"):
        monkeypatch.delenv(key, raising=False)
    settings = {
        "HOME": folder / "home", "TRAINSH_HOME": folder / "t", "XDG_RUNTIME_DIR": folder / "run",
        "TMUX_TMPDIR": folder / "tmux", "TRAINSH_WORLD": folder.name, "TERM": "xterm",
        "PATH": f"{BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }  # fmt: skip
    for key, value in settings.items():
        monkeypatch.setenv(key, str(value))
    monkeypatch.chdir(folder / "home")
    made = Box(folder)
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LIMIT)
    old = cli.registry
    try:
        yield made
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        made.registry.close()
        cli.registry = old
        end_all_marked(folder.name)
        shutil.rmtree(folder, ignore_errors=True)
