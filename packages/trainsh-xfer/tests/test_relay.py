"""Copies from a host to a storage and back when rclone cannot run on the host, so that the rclone here
uses sftp.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from world_s3 import Service, s3_service

from trainsh_base.errors import NotFound, UsageError
from trainsh_xfer.model import Options, Order, Result
from trainsh_xfer.transfer import carry_out


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One storage service for all tests of this module."""
    with s3_service(tmp_path_factory.mktemp("s3")) as running:
        yield running


class Far:
    """A host with a tree in its home, and the storage `r2:first`."""

    def __init__(self, world: Any, request: Any) -> None:
        self.box = world.sshd("box")
        self.home: Path = self.box.home
        self.spec: str = world.spec(self.box)
        self.request = request
        folder = self.home / "run" / "my model"
        (folder / "sub").mkdir(parents=True)
        (folder / "weights.bin").write_bytes(bytes(range(256)) * 40)
        (folder / "sub" / "c.txt").write_text("three")
        (folder / "old.ckpt").write_text("old")
        (self.home / ".cache").touch()  # a file, so that no folder can be made there

    def copy(self, source: str, destination: str, *, verify: bool = False, **options: Any) -> Result:
        """Copy; `@box` in the endpoints means this host."""
        order = Order(
            source=source,
            destination=destination,
            options=Options(**options),
            hosts={"box": self.spec},
            verify=verify,
        )
        return carry_out(order, self.request)


@pytest.fixture
def far(world: Any, service: Service, monkeypatch: pytest.MonkeyPatch, request_: Any) -> Far:
    """The host, and the service's key in the environment."""
    monkeypatch.setenv("R2_ACCESS_KEY", service.key)
    monkeypatch.setenv("R2_SECRET_KEY", service.secret)
    monkeypatch.setenv("TRAINSH_R2_ENDPOINT", service.address)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return Far(world, request_)


def tree(folder: Path) -> set[str]:
    """The paths of every file below `folder`."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_folder_of_a_host_to_a_storage_and_back(far: Far) -> None:
    sent = far.copy(f"@box:{far.home}/run/my model", "r2:first/round", exclude=["*.ckpt"], verify=True)
    assert (sent.files, sent.verified) == (2, True)
    assert "through this machine, because the home folder of" in sent.route
    assert far.copy(f"@box:{far.home}/run/my model", "r2:first/round", exclude=["*.ckpt"]).files == 0
    far.copy("r2:first/round/my model/", "@box:back", verify=True)
    assert tree(far.home / "back") == {"weights.bin", "sub/c.txt"}
    assert (far.home / "back" / "weights.bin").read_bytes() == bytes(range(256)) * 40


def test_homes_wildcards_and_single_files(far: Far) -> None:
    far.copy("@box:~/run/my model/*.bin", "r2:first/single/")
    far.copy("@box:run/my model/old.ckpt", "r2:first/single/renamed")
    far.copy("r2:first/single/", "@box:~/single")
    assert tree(far.home / "single") == {"weights.bin", "renamed"}


def test_deletions_and_what_is_refused(far: Far) -> None:
    far.copy(f"@box:{far.home}/run/my model/", "r2:first/sync")
    (far.home / "run" / "my model" / "old.ckpt").unlink()
    assert far.copy(f"@box:{far.home}/run/my model/", "r2:first/sync", delete=True, dry_run=True).deleted == 1
    assert far.copy(f"@box:{far.home}/run/my model/", "r2:first/sync", delete=True).deleted == 1
    with pytest.raises(UsageError, match="remove every file"):
        far.copy("r2:first/sync/", "@box:~", delete=True)
    with pytest.raises(NotFound):
        far.copy("@box:/no/such/folder", "r2:first/none")
