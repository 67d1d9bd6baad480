"""`make pictures`: the pictures of the README, from a real run in a real terminal.

A program runs in a tmux of its own; once the screen shows what is waited for, it is taken with its colours
(`capture-pane -e`) and drawn as SVG by rich, without the web font that rich's own export would fetch.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console  # noqa: TID253 - a program of its own
from rich.text import Text  # noqa: TID253 - as above

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COLUMNS, LINES = 100, 28
# name -> (command in a shell, what the screen shows when it is taken, seconds to wait for it)
PICTURES = {"run": ("train sandbox run examples/readme.recipe", r"(?s)job \S+ ok in.*\n\$ ?$", 300)}


class Terminal:
    """A shell in a tmux server of its own."""

    def __init__(self, folder: str) -> None:
        self.words = ["tmux", "-L", "pictures", "-f", "/dev/null"]
        self.env = {
            "HOME": folder, "TRAINSH_PAGER": "cat", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TERM": "xterm-256color", "LANG": "C.UTF-8", "TMUX_TMPDIR": folder,
        }  # fmt: skip

    def tmux(self, *words: str) -> str:
        return subprocess.run(
            [*self.words, *words], env=self.env, capture_output=True, text=True, check=True
        ).stdout

    def run(self, command: str) -> None:
        """Type a command into the shell."""
        size = ("-x", str(COLUMNS), "-y", str(LINES))
        self.tmux("new-session", "-d", *size, "-c", str(ROOT), "env", "PS1=$ ", "sh", "-i")
        self.tmux("send-keys", "-l", command)
        self.tmux("send-keys", "Enter")

    def screen(self, pattern: str, seconds: float) -> str:
        """The screen with its colours, once it matches. Ends the program when it never does."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.tmux("capture-pane", "-p").rstrip("\n")):
            if time.monotonic() > end:
                sys.exit(f"{pattern!r} did not appear:\n{self.tmux('capture-pane', '-p')}")
            time.sleep(0.2)
        return self.tmux("capture-pane", "-e", "-p")


def draw(screen: str, title: str) -> str:
    """The screen as SVG."""
    lines = screen.rstrip("\n").split("\n")[:-1]  # without the prompt after it
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi("\n".join(lines)), overflow="crop", no_wrap=True)
    svg = console.export_svg(title=title, unique_id="train")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code,", "ui-monospace, Menlo, Consolas, ")


def main() -> None:
    """Make those that are named, or all."""
    for name in sys.argv[1:] or PICTURES:
        command, pattern, seconds = PICTURES[name]
        with tempfile.TemporaryDirectory() as folder:
            terminal = Terminal(folder)
            try:
                terminal.run(command)
                svg = draw(terminal.screen(pattern, seconds), command)
            finally:
                subprocess.run([*terminal.words, "kill-server"], env=terminal.env, capture_output=True, check=False)
        (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")
        print(f"docs/pictures/{name}.svg")


if __name__ == "__main__":
    main()
