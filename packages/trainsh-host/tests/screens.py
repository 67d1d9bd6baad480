"""Runs a program in a pane of tmux, a real terminal of 80 by 24. Tests press keys, and get the screen as text."""

import re
import subprocess
from pathlib import Path

from trainsh_world import World, wait_until

GOLDEN = Path(__file__).with_name("golden")


class Screen:
    """A tmux server of its own, with one pane.

    As a context manager, it ends the program at the end of the block.
    """

    def __init__(self, world: World, command: str, *, width: int = 80, height: int = 24) -> None:
        self._env = world.env | {"TERM": "screen-256color", "LC_ALL": "C.UTF-8"}
        size = ["-x", str(width), "-y", str(height)]
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, f"{command}; echo ended $?; exec cat")
        self._tmux("set-option", "-g", "set-clipboard", "on")

    def __enter__(self) -> "Screen":
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", "screens", *words],
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def keys(self, *keys: str) -> None:
        """Press keys, which are given by tmux's names."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type text as it is."""
        self._tmux("send-keys", "-l", text)

    def text(self) -> str:
        """What is on the screen, without blanks at the ends of lines."""
        return "\n".join(line.rstrip() for line in self._tmux("capture-pane", "-p").splitlines())

    def colours(self) -> str:
        """What is on the screen, with the escape sequences for colours."""
        return self._tmux("capture-pane", "-e", "-p")

    def buffer(self) -> str:
        """What the program has put into the clipboard (OSC 52)."""
        return self._tmux("show-buffer")

    def shows(self, words: str, timeout: float = 60) -> str:
        """Wait until the screen shows `words`. Return the whole screen."""
        try:
            wait_until(lambda: words in self.text(), words, timeout)
        except AssertionError:
            raise AssertionError(f"{words!r} did not appear:\n{self.text()}") from None
        return self.text()

    def lacks(self, words: str) -> str:
        """Wait until the screen no longer shows `words`. Return the whole screen."""
        wait_until(lambda: words not in self.text(), f"no {words}")
        return self.text()

    def is_golden(self, name: str, *changes: tuple[str, str]) -> None:
        """Wait until the screen is a golden file, which is written if it does not exist.

        Parts that change from run to run are replaced before, and what the patterns of `changes` find. A screen that
        is looked at while it is drawn is not yet what it will be.
        """
        file = GOLDEN / f"{name}.txt"
        if not file.exists():
            GOLDEN.mkdir(exist_ok=True)
            file.write_text(self._equal(changes))
            raise AssertionError(f"{file} was missing and is written now: look at it\n{self._equal(changes)}")
        try:
            wait_until(lambda: self._equal(changes) == file.read_text(), name, 15)
        except AssertionError:
            raise AssertionError(f"the screen is another than {file}:\n{self._equal(changes)}") from None

    def _equal(self, changes: tuple[tuple[str, str], ...]) -> str:
        text = self.text()
        for pattern, word in (*changes, (r"\d\d:\d\d:\d\d", "HH:MM:SS")):
            text = re.sub(pattern, word, text)
        return text.rstrip() + "\n"
