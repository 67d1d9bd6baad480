"""The files of a machine, through one interface: those of a host over sftp on the shared connection, and those of
this machine.
"""

import contextlib
import os
import posixpath
from collections.abc import Iterator
from typing import Protocol

from trainsh_base.errors import Conflict, NotFound, RemoteError, TrainError
from trainsh_base.remote import ssh
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system import spawn
from trainsh_host.browse.model import File
from trainsh_host.browse.sftp import Sftp

BATCH = 1000


class Files(Protocol):
    """The operations that the browser needs on a machine. Paths are absolute, and are bytes."""

    def real_path(self, path: bytes) -> bytes:
        """The absolute form of a path on the machine.

        A relative path begins in the home folder, so `.` means the home folder.
        """

    def stat(self, path: bytes, *, follow: bool = True) -> File:
        """The file at `path`. With `follow`, a link is followed to its target."""

    def read_link(self, path: bytes) -> bytes:
        """The path that a link contains, as it is written in the link."""

    def folder(self, path: bytes) -> Iterator[list[File]]:
        """The files in a folder, in batches."""

    def read(self, path: bytes, most: int) -> bytes:
        """The first bytes of a file, `most` bytes or fewer."""

    def remove(self, path: bytes) -> None:
        """Remove a file or a link."""

    def remove_folder(self, path: bytes) -> None:
        """Remove an empty folder."""


class LocalFiles:
    """The files of this machine."""

    def real_path(self, path: bytes) -> bytes:
        """The absolute form of a path on the machine.

        A relative path begins in the home folder, so `.` means the home folder.
        """
        return os.path.realpath(os.path.join(os.path.expanduser(b"~"), path))  # noqa: PTH111, PTH118 - bytes

    def stat(self, path: bytes, *, follow: bool = True) -> File:
        """The file at `path`. With `follow`, a link is followed to its target."""
        with _told(path):
            found = os.stat(path, follow_symlinks=follow)  # noqa: PTH116
            return File(posixpath.basename(path), found.st_mode, found.st_size, int(found.st_mtime))

    def read_link(self, path: bytes) -> bytes:
        """The path that a link contains, as it is written in the link."""
        with _told(path):
            return os.readlink(path)  # noqa: PTH115

    def folder(self, path: bytes) -> Iterator[list[File]]:
        """The files in a folder, in batches."""
        with _told(path), os.scandir(path) as entries:
            batch = []
            for entry in entries:
                with contextlib.suppress(OSError):
                    found = entry.stat(follow_symlinks=False)
                    batch.append(File(entry.name, found.st_mode, found.st_size, int(found.st_mtime)))
                if len(batch) == BATCH:
                    yield batch
                    batch = []
            yield batch

    def read(self, path: bytes, most: int) -> bytes:
        """The first bytes of a file, `most` bytes or fewer."""
        with _told(path), open(path, "rb") as file:  # noqa: PTH123
            return file.read(most)

    def remove(self, path: bytes) -> None:
        """Remove a file or a link."""
        with _told(path):
            os.unlink(path)  # noqa: PTH108

    def remove_folder(self, path: bytes) -> None:
        """Remove an empty folder."""
        with _told(path):
            os.rmdir(path)  # noqa: PTH106


@contextlib.contextmanager
def _told(path: bytes) -> Iterator[None]:
    where = path.decode(errors="backslashreplace")
    try:
        yield
    except FileNotFoundError:
        raise NotFound(f"no such file: {where}", code="no_file") from None
    except PermissionError:
        raise Conflict(f"permission denied: {where}", code="permission_denied") from None
    except OSError as error:
        raise TrainError(f"{where}: {(error.strerror or str(error)).lower()}", code="file") from None


@contextlib.contextmanager
def files_of(target: Target, request: Request) -> Iterator[Files]:
    """The files of a machine, for use inside the block. If there is no connection to the machine, one is made.

    Raises RemoteError with the code `no_sftp` if the machine has no sftp.
    """
    if target.kind == "local":
        yield LocalFiles()
        return
    target = ssh.ensure_master(target, request)
    program, *rest = target.remote_argv("sftp")
    child = spawn.start([program, "-q", "-s", *rest], env=target.environment())
    try:
        yield _session(child, target)
    finally:
        child.end()
        os.close(child.stdout)


def _session(child: spawn.Child, target: Target) -> Sftp:
    try:
        return Sftp(child.stdout, child.stdin, target.label)
    except TrainError as error:
        if error.code != "lost" or master_pid(target.control_path or "") is None:
            raise
    raise RemoteError(
        f"{target.label} has no sftp",
        "install openssh-sftp-server there, and put `Subsystem sftp internal-sftp` into its sshd_config",
        code="no_sftp",
    )  # fmt: skip


def remove_all(files: Files, path: bytes, kind: str) -> int:
    """Remove a file, or a folder with everything in it. Links are not followed.

    Return how many entries were removed.
    """
    if kind != "folder":
        files.remove(path)
        return 1
    found = [file for batch in files.folder(path) for file in batch]
    count = sum(remove_all(files, joined(path, file.name), file.kind) for file in found)
    files.remove_folder(path)
    return count + 1


def joined(folder: bytes, name: bytes) -> bytes:
    """The path of the file `name` in `folder`."""
    return folder.rstrip(b"/") + b"/" + name
