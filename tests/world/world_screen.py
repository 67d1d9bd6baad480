"""A program on a real terminal, which is a pane of a tmux server. Tests press keys, and get the screen as text."""

import re
import subprocess
import time
from pathlib import Path

# Parts of a screen that differ in each run, and the text that replaces them in golden files.
CHANGING = (
    (r"\d{8}-\d{6}-\d{3}-[0-9a-f]{4}", "JOB"),
    (r"\bjob [0-9a-f]{4}\b", "job JOB"),
    (r"Job [0-9a-f]{4}\b", "Job XXXX"),
    (r"((?:attach|resume|watch|logs|abandon|cancel) )[0-9a-f]{4}\b", r"\1XXXX"),  # before times: a job may be 125d
    (r"\d\d:\d\d:\d\d", "HH:MM:SS"),
    (r"(?<=[ (])(\d+[dhms] )?\d+(\.\d)?[dhms]\b", "TIME"),
    (r" *\S*…", " …"),  # the place where a line is cut depends on the width of its time
)
LIMIT = 60.0


class Screen:
    """Runs a shell command in a terminal of the given size. A context manager, which ends the command.

    When the command has ended, the screen shows `ended STATUS`.
    """

    def __init__(self, env: dict[str, str], command: str, *, width: int = 80, height: int = 24) -> None:
        self._env = env | {"TERM": "screen-256color", "LC_ALL": "C.UTF-8"}
        size = ["-x", str(width), "-y", str(height)]
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, f"{command}; echo ended $?; exec cat")

    def __enter__(self) -> "Screen":
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", "screen", *words], env=self._env, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def keys(self, *keys: str) -> None:
        """Press keys. They are given by tmux's names."""
        self._tmux("send-keys", *keys)

    def text(self) -> str:
        """The screen, without blanks at the ends of lines and without empty lines at its end."""
        return "\n".join(line.rstrip() for line in self._tmux("capture-pane", "-p").splitlines()).rstrip()

    def shows(self, *words: str, without: str = "") -> str:
        """Wait until the screen shows all of `words` and does not show `without`. Return the whole screen."""
        deadline = time.monotonic() + LIMIT
        while True:
            text = self.text()
            if all(word in text for word in words) and not (without and without in text):
                return text
            assert time.monotonic() < deadline, f"{words} did not appear, or {without!r} stayed:\n{text}"
            time.sleep(0.02)

    def is_golden(self, file: Path, *more: tuple[str, str], words: list[str], without: str = "") -> None:
        """Wait until the screen shows `words`, not `without`, and all of it is a golden file, which is written if
        it is missing. A screen that is looked at while it is drawn is not yet what it will be."""
        text = equal(self.shows(*words, without=without), *more)
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            raise AssertionError(f"{file} was missing and is written now: look at it\n{text}")
        deadline = time.monotonic() + LIMIT / 4
        while text != file.read_text():
            assert time.monotonic() < deadline, f"the screen differs from {file}:\n{text}"
            time.sleep(0.05)
            text = equal(self.shows(*words, without=without), *more)


def equal(text: str, *more: tuple[str, str]) -> str:
    """A screen with what changes from run to run replaced."""
    for pattern, word in (*more, *CHANGING):
        text = re.sub(pattern, word, text)
    return text + "\n"
