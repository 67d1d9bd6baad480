"""Measures the claimed floor of a step: what any engine with the same guarantees needs on this machine now.

A bash in a tmux pane reads a step's name from a FIFO, claims the step with an exclusive open, and sources it. It
writes a status file, and an end marker to the pane. The step is over when the marker is in the pane's log, which
`tail` sends. The status alone would come before the step's last output.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

LOOP = r"""
cd "$1"; exec 9<>floor.in
printf ready
while IFS= read -r name <&9; do
    set -C; { command : > "$name.claim"; } 2>/dev/null || continue; set +C
    . "./$name" 9<&-
    printf '%s\n' "$?" > "$name.status"
    printf '\033]7770;e;%s\007' "$name"
done
"""


class Floor:
    """One pane with the minimal loop in it.

    Its files are in `folder`, where the measured engine has its own. This matters: on ext4 a new file costs 0.04 ms
    or 1 ms, depending on what was deleted in the same part of the disk in the last minute, and each folder may be
    in another part. `words` makes the argv that runs a command on the machine (None: here), and `env` is the argv's
    environment. The pane itself is on this machine, as that of a loopback sshd is.
    """

    def __init__(
        self, folder: Path, words: Callable[[str], list[str]] | None = None, env: dict[str, str] | None = None
    ) -> None:
        words = words or (lambda command: ["sh", "-c", command])
        self.folder = folder
        self._socket = Path(tempfile.mkdtemp(prefix="floor")) / "tmux"
        log = folder / "floor.log"
        (folder / "floor.bash").write_text(LOOP)
        os.mkfifo(folder / "floor.in")
        log.touch()
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "200", "-y", "50",
                   f"exec bash --norc --noprofile {folder}/floor.bash {folder}",
                   ";", "pipe-pane", f"exec cat >> {log}")  # fmt: skip
        self.shell = subprocess.Popen(words("exec sh"), stdin=subprocess.PIPE, env=env)
        self._write(f"cd {folder}\n")
        self.tail = subprocess.Popen(
            words(f"exec tail -c +1 -f {log}"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=env
        )
        self._seen = b""
        self._until(b"ready")
        self._count = 0

    def _tmux(self, *words: str) -> None:
        env = {key: value for key, value in os.environ.items() if not key.startswith("TMUX")}
        subprocess.run(["tmux", "-S", str(self._socket), *words], env=env, check=True)

    def _write(self, text: str) -> None:
        assert self.shell.stdin is not None
        os.write(self.shell.stdin.fileno(), text.encode())

    def _until(self, mark: bytes) -> None:
        assert self.tail.stdout is not None
        while mark not in self._seen:
            self._seen += os.read(self.tail.stdout.fileno(), 4096)
        self._seen = b""

    def step(self) -> float:
        """The seconds for one step `true`."""
        self._count += 1
        name = f"floor{self._count}"
        start = time.perf_counter()
        self._write(f"{{ printf 'true\\n' >{name}; printf '{name}\\n' 1<>floor.in; }}\n")
        self._until(f"7770;e;{name}\a".encode())
        return time.perf_counter() - start

    def median(self, count: int = 200) -> float:
        """The median of `count` steps in seconds, after a warm-up."""
        for _ in range(20):
            self.step()
        return statistics.median(self.step() for _ in range(count))

    def close(self) -> None:
        """End the pane and remove its files."""
        self._tmux("kill-server")
        self.shell.kill()
        self.shell.wait()
        self.tail.kill()
        self.tail.wait()
        shutil.rmtree(self._socket.parent)
        for path in self.folder.glob("floor*"):
            path.unlink()


if __name__ == "__main__":
    floor = Floor(Path(tempfile.mkdtemp(prefix="floor")))
    print(f"{floor.median() * 1000:.2f} ms")
    floor.close()
