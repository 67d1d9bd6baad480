"""Press Tab in bash, zsh and fish, each in a terminal of its own.

The completions are where install.sh puts them.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
SHELL_FILES = BIN.parent / "share/trainsh/shell"
RECIPE = "# Trains it\nvar MODEL = tiny\nhost gpu = placeholder\n"
# (what is typed before Tab, what the line is after Tab)
TABS = [
    ("train reci", "train recipe"),
    ("train recipe ru", "train recipe run"),
    ("train run my-tr", "train run my-train"),
    ("train-recipe run my-tr", "train-recipe run my-train"),
    ("train run my-train --max-t", "train run my-train --max-time"),
    ("train run my-train --host gpu=lo", "train run my-train --host gpu=local"),
    ("train vast search --sort=reli", "train vast search --sort=reliability"),
    ("train host ssh box-", "train host ssh box-7"),
    ("train transfer storage:che", "train transfer storage:checkpoints:"),
    ("train dsl check ./my-f", "train dsl check ./my-file.recipe"),
]
START = {
    "bash": ["bash", "--norc", "--noprofile"],
    "zsh": ["zsh", "-f"],
    "fish": ["fish", "--private"],
}


class Terminal:
    """A shell in a tmux server of its own."""

    def __init__(self, shell: str, home: Path) -> None:
        self.words = ["tmux", "-L", f"tab-{os.getpid()}-{shell}"]
        # TRAINSH_HOME and similar variables are the test's own. A pager or a menu would disturb the test.
        keep = {"HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}", "TERM": "xterm", "LANG": "C.UTF-8"}
        self.env = keep | {"TMUX_TMPDIR": str(home)}
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "160", "-y", "50", *START[shell])

    def tmux(self, *words: str) -> str:
        done = subprocess.run([*self.words, *words], env=self.env, capture_output=True, text=True, check=True)
        return done.stdout

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)

    def key(self, *names: str) -> None:
        self.tmux("send-keys", *names)

    def line(self) -> str:
        """The last line on the screen that is not empty."""
        lines = [line for line in self.tmux("capture-pane", "-p").splitlines() if line.strip()]
        return lines[-1].rstrip() if lines else ""

    def wait(self, text: str, seconds: float = 60, below: str = "") -> None:
        """Wait until the line ends with `text`; with `below`, until it stands below a line that is this."""
        end = time.monotonic() + seconds
        while not self.line().endswith(text) or (
            below and below not in self.tmux("capture-pane", "-p").split("\n")
        ):
            assert time.monotonic() < end, f"{text!r} is not at the end of {self.line()!r}"
            time.sleep(0.05)


@pytest.fixture(params=["bash", "zsh", "fish"])
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    """A shell with completions, in a home that has names to complete."""
    shell = request.param
    assert shutil.which(shell), f"{shell} is missing: ./install.sh --dev installs it"
    settings = tmp_path / ".config/tmux-trainsh"
    (settings / "recipes").mkdir(parents=True)
    (settings / "recipes/my-train.recipe").write_text(RECIPE)
    (settings / "hosts.toml").write_text('[[hosts]]\nname = "box-7"\nhostname = "192.0.2.7"\n')
    (settings / "storages.toml").write_text('[[storages]]\nname = "checkpoints"\ntype = "local"\n')
    (tmp_path / "my-file.recipe").write_text(RECIPE)
    folder = tmp_path / ".local/share/fish/vendor_completions.d"
    folder.mkdir(parents=True)
    for name in ("train", "train-recipe"):
        (folder / f"{name}.fish").symlink_to(SHELL_FILES / "train.fish")
    screen = Terminal(shell, tmp_path)
    try:
        prompt = {"fish": "function fish_prompt; echo '$ '; end", "zsh": "PROMPT='$ '", "bash": "PS1='$ '"}[shell]
        load = {
            "bash": f"source {SHELL_FILES}/train.bash",
            "zsh": f"fpath=({SHELL_FILES} $fpath); autoload -Uz compinit; compinit -u -d ~/.dump",
            "fish": "true",
        }[shell]
        screen.type(f" {prompt}; {load}; cd; clear; echo ready-{os.getpid()}")
        screen.key("Enter")
        # The shell's own prompt may end like ours: ours is the one below what the line printed.
        screen.wait("$", below=f"ready-{os.getpid()}")
        yield screen
    finally:
        screen.tmux("kill-server")


def test_a_tab(terminal: Terminal) -> None:
    for typed, wanted in TABS:
        terminal.type(typed)
        terminal.wait(typed)
        terminal.key("Tab")
        terminal.wait(wanted)
        terminal.key("C-c")
        terminal.wait("$")
        terminal.key("C-l")
