"""Copies from a host to a storage and back with the host's own rclone, a real sshd and a real S3 service."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trainsh_world import wait_until
from world_s3 import Service, s3_service
from world_sshd import free_port

from trainsh_base.errors import Cancelled, CredentialError, NotFound, TrainError, Unreachable
from trainsh_xfer.model import Options, Order, Result
from trainsh_xfer.transfer import carry_out


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One storage service for all tests of this module."""
    with s3_service(tmp_path_factory.mktemp("s3"), f"key-{os.urandom(8).hex()}") as running:
        yield running


class Far:
    """A host with rclone and a tree in its home, and the storage `r2:first`."""

    def __init__(self, world: Any, request: Any, service: Service) -> None:
        self.world = world
        self.box = world.sshd("box")
        self.home: Path = self.box.home
        self.spec: str = world.spec(self.box)
        self.request = request
        self.service = service
        self.give_rclone()
        folder = self.home / "run" / "my model"
        (folder / "sub").mkdir(parents=True)
        (folder / "weights.bin").write_bytes(bytes(range(256)) * 40)
        (folder / "sub" / "c.txt").write_text("three")
        (folder / "old.ckpt").write_text("old")

    def give_rclone(self) -> None:
        """Install rclone for the account."""
        (self.home / "bin").mkdir()
        (self.home / "bin" / "rclone").symlink_to(shutil.which("rclone") or "")
        (self.home / ".bashrc").write_text("export PATH=$HOME/bin:$PATH\n")

    def copy(self, source: str, destination: str, *, verify: bool = False, **options: Any) -> Result:
        """Copy; `@box` in the endpoints means this host."""
        order = Order(
            source=source, destination=destination, options=Options(**options), hosts={"box": self.spec}, verify=verify
        )  # fmt: skip
        return carry_out(order, self.request)

    def command(self, source: str, destination: str, *words: str) -> subprocess.Popen[bytes]:
        """Start `train transfer`, as a person would."""
        argv = ["train-xfer", "copy", source, destination, "--host", f"box={self.spec}", *words]
        return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def processes(self, text: str) -> list[int]:
        """The processes of this world whose argument lists contain `text`."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                ours = f"TRAINSH_WORLD={self.world.mark}".encode() in (entry / "environ").read_bytes()
                if ours and text.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
        return found

    @property
    def left(self) -> list[Path]:
        """What transfers have left on the host."""
        return sorted((self.home / ".cache").rglob("*"))


@pytest.fixture
def far(world: Any, service: Service, monkeypatch: pytest.MonkeyPatch, request_: Any) -> Far:
    """The host, and the service's key in the environment of this machine."""
    monkeypatch.setenv("R2_ACCESS_KEY", service.key)
    monkeypatch.setenv("R2_SECRET_KEY", service.secret)
    monkeypatch.setenv("TRAINSH_R2_ENDPOINT", service.address)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return Far(world, request_, service)


def tree(folder: Path) -> set[str]:
    """The paths of every file below `folder`."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_folder_of_a_host_to_a_storage_and_back(far: Far) -> None:
    sent = far.copy(f"@box:{far.home}/run/my model", "r2:first/round", exclude=["*.ckpt"], verify=True)
    assert (sent.files, sent.verified) == (2, True)
    assert sent.route == "box -> r2:first, on the host"
    assert far.copy(f"@box:{far.home}/run/my model", "r2:first/round", exclude=["*.ckpt"]).files == 0
    back = far.copy("r2:first/round/my model/", "@box:back", verify=True)
    assert back.route == "r2:first -> box, on the host"
    assert tree(far.home / "back") == {"weights.bin", "sub/c.txt"}
    assert (far.home / "back" / "weights.bin").read_bytes() == bytes(range(256)) * 40
    assert (far.home / "back" / "weights.bin").stat().st_mode & 0o777 == 0o644
    assert far.left == []


def test_the_data_does_not_come_through_this_machine_and_nothing_secret_is_seen(far: Far, tmp_path: Path) -> None:
    relay = far.world.relay(far.box)
    far.spec = far.world.spec(far.box, relay.port)
    big = far.home / "big.bin"
    big.write_bytes(random.Random(1).randbytes(20_000_000))
    seen = Lookout(far)
    with seen:
        sent = far.copy(f"@box:{big}", "r2:first/proof/")
        far.copy("r2:first/proof/big.bin", "@box:back/")
    assert (sent.bytes, (far.home / "back" / "big.bin").read_bytes() == big.read_bytes()) == (20_000_000, True)
    assert 2_000 < relay.passed < 400_000
    assert seen.rounds > 3
    assert not seen.secrets
    assert far.left == []


class Lookout:
    """Reads every argument list of this machine and every file of the host's cache, while a block runs."""

    def __init__(self, far: Far) -> None:
        self.far = far
        self.secrets: set[str] = set()
        self.rounds = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(10)

    def _work(self) -> None:
        secret = self.far.service.secret.encode()
        while not self._over.wait(0.02):
            self.rounds += 1
            for path in [*Path("/proc").glob("[0-9]*/cmdline"), *self.far.left]:
                with contextlib.suppress(OSError):
                    data = path.read_bytes()
                    if secret in data and b"--auth-key" not in data:  # the service's own argument list
                        self.secrets.add(str(path))


def test_a_cancel_ends_it_on_the_host(far: Far) -> None:
    (far.home / "big.bin").write_bytes(bytes(6_000_000))
    failures: list[BaseException] = []

    def work() -> None:
        try:
            far.copy("@box:big.bin", "r2:first/cancelled", bwlimit=500)
        except Cancelled as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: far.request.of("progress"), "progress")
    far.request.cancel()
    thread.join(60)
    assert len(failures) == 1
    assert far.left == []
    wait_until(lambda: not far.processes("trainsh-xfer"), "the end of what ran on the host")


def test_it_goes_on_without_this_machine_and_is_found_again(far: Far) -> None:
    (far.home / "big.bin").write_bytes(bytes(10_000_000))
    first = subprocess.Popen(["train-xfer", "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    params = {
        "source": "@box:big.bin",
        "destination": "r2:first/alone/",
        "bwlimit": "400k",  # so that it still runs when the second asks
        "hosts": {"box": far.spec},
    }
    asked = {"jsonrpc": "2.0", "id": 1, "method": "copy", "params": params}
    assert first.stdin
    first.stdin.write(json.dumps(asked).encode() + b"\n")
    first.stdin.flush()
    wait_until(lambda: far.processes("--temp-dir=/"), "rclone on the host")
    [rclone] = far.processes("--temp-dir=/")
    first.communicate(timeout=60)  # closes the pipe, as if the runner had ended
    second = far.command("@box:big.bin", "r2:first/alone/", "--bwlimit", "400k", "--json")
    out, said = second.communicate(timeout=120)
    assert second.returncode == 0, said
    assert b"runs on" in said
    assert far.processes("--temp-dir=/") in ([], [rclone])
    assert b'"bytes": 10000000' in out or b'"bytes":10000000' in out
    assert (far.service.folder / "first" / "alone" / "big.bin").stat().st_size == 10_000_000
    wait_until(lambda: not far.processes("trainsh-xfer"), "the end of the keeper")
    assert far.left == []


def test_killed_at_any_moment_it_continues_and_leaves_nothing(far: Far) -> None:
    tree_ = far.home / "many"
    tree_.mkdir()
    for number in range(30):
        (tree_ / f"{number}.bin").write_bytes(bytes([number]) * 100_000)
    chance = random.Random(int(os.environ.get("TRAINSH_SEED", "7")))
    for victim in ("client", "rclone", "keeper", "client"):
        running = far.command("@box:many/", "r2:first/many", "--bwlimit", "1M")
        time.sleep(chance.uniform(0.2, 1.5))
        found = {
            "client": [running.pid],
            "rclone": far.processes("--temp-dir=/"),
            "keeper": far.processes("trainsh-xfer"),
        }
        for process in found[victim]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        running.communicate(timeout=120)
    last = far.command("@box:many/", "r2:first/many", "--verify")
    assert last.communicate(timeout=120) and last.returncode == 0
    assert tree(far.service.folder / "first" / "many") == {f"{number}.bin" for number in range(30)}
    wait_until(lambda: not far.processes("trainsh-xfer"), "the end of all keepers")
    assert far.left == []


def test_a_lost_connection_does_not_end_it(far: Far) -> None:
    relay = far.world.relay(far.box)
    far.spec = far.world.spec(far.box, relay.port)
    (far.home / "big.bin").write_bytes(bytes(3_000_000))

    def drop() -> None:
        wait_until(lambda: any(event["done"] for event in far.request.of("progress")), "progress")
        relay.drop()

    threading.Thread(target=drop, daemon=True).start()
    sent = far.copy("@box:big.bin", "r2:first/dropped/", bwlimit=1000)
    assert (sent.files, sent.bytes) == (1, 3_000_000)
    assert any("connecting again" in event["message"] for event in far.request.of("log"))
    assert far.left == []


def test_what_goes_wrong_there_is_told_apart(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as wrong, pytest.raises(CredentialError, match="refused"):
        wrong.setenv("R2_SECRET_KEY", "wrong")
        far.copy("@box:run/", "r2:first/wrong")
    with pytest.raises(NotFound):
        far.copy("@box:run/", "r2:nowhere/x")
    with pytest.raises(NotFound, match="nothing at"):
        far.copy("@box:/no/such/folder", "r2:first/none")
    with pytest.raises(NotFound):
        far.copy("r2:first/none", "@box:none")
    assert far.left == []


@pytest.mark.faults
def test_a_service_that_cannot_be_reached(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINSH_R2_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unreachable, match="cannot be reached"):
        far.copy("@box:run/", "r2:first/wrong")
    assert any(
        "through this machine, because box does not reach" in event["message"] for event in far.request.of("log")
    )
    assert far.left == []


def test_a_full_disk_and_files_that_cannot_be_read(far: Far) -> None:
    far.world.run("ssh", "box", "mkdir small && mount -t tmpfs -o size=300k none small")
    far.copy("@box:run/my model/", "r2:first/full")
    (far.home / "big.bin").write_bytes(bytes(1_000_000))
    far.copy("@box:big.bin", "r2:first/full/")
    with pytest.raises(TrainError, match=r"disk space|no space") as caught:
        far.copy("r2:first/full/", "@box:small")
    assert (caught.value.code, caught.value.exit_status, list(caught.value.data["files"])) == (
        "full",
        1,
        ["big.bin"],
    )
    assert "c.txt" in far.world.run("ssh", "box", "ls small/sub").out
    (far.home / "run" / "dangling").symlink_to("nowhere")
    with pytest.raises(TrainError, match="dangling") as caught:
        far.copy("@box:run/", "r2:first/dangling")
    assert (caught.value.code, list(caught.value.data["files"])) == ("partial", ["dangling"])


def test_a_host_without_rclone_is_lent_one(far: Far) -> None:
    (far.home / "bin" / "rclone").unlink()
    sent = far.copy("@box:run/", "r2:first/lent", verify=True)
    assert (sent.files, sent.verified, "lent" in sent.route) == (3, True, True)
    assert far.left == []
    (far.home / "bin" / "rclone").write_text("#!/bin/sh\necho rclone v1.50.2\n")
    (far.home / "bin" / "rclone").chmod(0o755)
    sent = far.copy("@box:run/", "r2:first/lent")
    assert (sent.files, "too old" in sent.route) == (0, True)


def test_where_nothing_can_be_lent_it_goes_through_this_machine(far: Far) -> None:
    (far.home / "bin" / "rclone").unlink()
    (far.home / "bin" / "uname").write_text("#!/bin/sh\necho Plan9 mips\n")
    (far.home / "bin" / "uname").chmod(0o755)
    sent = far.copy("@box:run/", "r2:first/relayed")
    assert sent.files == 3
    assert "through this machine, because" in sent.route and "Plan9" in sent.route


APPLETS = ("sh", "sed", "tail", "tr", "grep", "find", "dd", "cat", "env", "gzip", "mkdir", "rm", "sleep", "setsid")


def test_with_the_shell_and_tools_of_busybox(far: Far) -> None:
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("NOT TESTED HERE: busybox is not installed")
    for name in APPLETS:
        (far.home / "bin" / name).symlink_to(busybox)
    assert far.copy("@box:run/", "r2:first/busybox", verify=True).files == 3
    assert far.copy("r2:first/busybox/", "@box:back").files == 3
    (far.home / "bin" / "rclone").unlink()
    assert "lent" in far.copy("@box:run/", "r2:first/busybox").route
    assert far.left == []
