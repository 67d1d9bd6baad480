"""Simulates R2 and S3 on this machine, by `rclone serve s3` on a folder. Each folder in it is a bucket."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from trainsh_base.errors import TrainError

BUCKETS = ("my-bucket",)
LACKS = "no storage: it needs an rclone that serves S3 (1.65 or newer)"


def rclone_path() -> str | None:
    """The path of an rclone that has `serve s3`: beside this Python, or else on PATH.

    The rclone of Debian's package is too old.
    """
    beside = Path(sys.executable).parent / "rclone"
    for program in (str(beside), shutil.which("rclone")):
        if program and os.access(program, os.X_OK):
            done = subprocess.run([program, "serve", "s3", "--help"], capture_output=True, check=False)
            if b"--auth-key" in done.stdout + done.stderr:
                return program
    return None


class Storage:
    """The storage service while it runs. It checks signatures with `key` and `secret`."""

    def __init__(self, program: str, folder: Path) -> None:
        for bucket in BUCKETS:
            (folder / bucket).mkdir(parents=True, exist_ok=True)
        self.key, self.secret = "sandbox", secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        words = [program, "serve", "s3", "--addr", f"127.0.0.1:{self.port}", "--config", os.devnull, str(folder)]
        # The key is passed in the environment, which other users cannot read. It is quoted, because rclone splits
        # the value at commas.
        environment = {**os.environ, "RCLONE_AUTH_KEY": f'"{self.key},{self.secret}"'}
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
        )
        self._await()

    def _await(self) -> None:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise TrainError("rclone serve s3 did not start", "to run without storage: train sandbox up --no-storage")

    @property
    def url(self) -> str:
        """The endpoint of the service."""
        return f"http://127.0.0.1:{self.port}"

    def end(self) -> None:
        """Stop serving."""
        self._process.kill()
        self._process.wait()
