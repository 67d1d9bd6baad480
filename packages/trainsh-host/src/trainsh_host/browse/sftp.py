"""The part of SFTP version 3 (draft-ietf-secsh-filexfer-02) that a file browser needs, over a pair of pipes.

Names are always bytes. No library can be used: paramiko fails on names that are not UTF-8, and asyncssh cannot use
an existing connection of ssh.
"""

import os
import struct
import threading
from collections.abc import Iterator

from trainsh_base.errors import Conflict, NotFound, RemoteError, TrainError, Unreachable
from trainsh_host.browse.model import File

INIT, VERSION, OPEN, CLOSE, READ, LSTAT, OPENDIR, READDIR = 1, 2, 3, 4, 5, 7, 11, 12
REMOVE, RMDIR, REALPATH, STAT, READLINK = 13, 15, 16, 17, 19
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
EOF, NO_SUCH_FILE, PERMISSION_DENIED = 1, 2, 3
# how many requests are sent before the first answer is read; to wait for each answer before the next request would
# take minutes
AHEAD = 32
MOST = 1 << 20  # the most bytes of a message; servers send less than 256 KiB
CHUNK = 32768


class SftpError(RemoteError):
    """The sftp server has answered a request with an error."""

    default_code = "sftp"


class Sftp:
    """A session with an sftp server. Any thread may make requests, even while a folder is being read."""

    def __init__(self, reader: int, writer: int, label: str) -> None:
        self._reader, self._writer, self._label = reader, writer, label
        self._lock = threading.Lock()
        self._number = 0
        self._held = b""
        self._early: dict[int, tuple[int, bytes]] = {}
        self._write(struct.pack(">BI", INIT, 3))
        kind, _ = self._message()
        if kind != VERSION:
            raise RemoteError(f"{label} does not speak sftp", code="no_sftp")

    def real_path(self, path: bytes) -> bytes:
        """The absolute form of `path`. The path `.` means the home folder."""
        return self._names(self._ask(REALPATH, _text(path)))[0].name

    def stat(self, path: bytes, *, follow: bool = True) -> File:
        """The file at `path`. With `follow`, a link is followed to its target."""
        kind, body = self._answer(self._send(STAT if follow else LSTAT, _text(path)), path)
        if kind != ATTRS:
            raise self._odd(kind)
        file, _ = _attributes(body, 0, path.rpartition(b"/")[2])
        return file

    def read_link(self, path: bytes) -> bytes:
        """The path that a link contains, as it is written there."""
        return self._names(self._ask(READLINK, _text(path), path))[0].name

    def folder(self, path: bytes) -> Iterator[list[File]]:
        """The files in a folder, in the batches that the server sends. Close the iterator to end the listing."""
        handle = self._handle(OPENDIR, _text(path), path)
        waiting: list[int] = []
        try:
            more = True
            while more or waiting:
                while more and len(waiting) < AHEAD:
                    waiting.append(self._send(READDIR, _text(handle)))
                kind, body = self._answer(waiting.pop(0), path, end=True)
                if kind == NAME:
                    yield [file for file in self._names((kind, body)) if file.name not in (b".", b"..")]
                else:
                    more = False
        finally:
            for number in waiting:
                self._answer(number, path, end=True)
            self._ask(CLOSE, _text(handle), path)

    def read(self, path: bytes, most: int) -> bytes:
        """The first `most` bytes of a file."""
        handle = self._handle(OPEN, _text(path) + struct.pack(">II", 1, 0), path)
        try:
            places = [(at, min(CHUNK, most - at)) for at in range(0, most, CHUNK)]
            sent = [self._send(READ, _text(handle) + struct.pack(">QI", *place)) for place in places]
            parts = [self._answer(number, path, end=True) for number in sent]
            return b"".join(_string(body, 0)[0] for kind, body in parts if kind == DATA)
        finally:
            self._ask(CLOSE, _text(handle), path)

    def remove(self, path: bytes) -> None:
        """Remove a file or a link. The target of a link stays."""
        self._ask(REMOVE, _text(path), path)

    def remove_folder(self, path: bytes) -> None:
        """Remove an empty folder."""
        self._ask(RMDIR, _text(path), path)

    # Messages

    def _handle(self, kind: int, body: bytes, path: bytes) -> bytes:
        answer, data = self._ask(kind, body, path)
        if answer != HANDLE:
            raise self._odd(answer)
        return _string(data, 0)[0]

    def _ask(self, kind: int, body: bytes, path: bytes = b"") -> tuple[int, bytes]:
        return self._answer(self._send(kind, body), path)

    def _send(self, kind: int, body: bytes) -> int:
        with self._lock:
            self._number += 1
            self._write(struct.pack(">BI", kind, self._number) + body)
            return self._number

    def _write(self, message: bytes) -> None:
        view = memoryview(struct.pack(">I", len(message)) + message)
        try:
            while view:
                view = view[os.write(self._writer, view) :]
        except OSError:
            raise self._lost() from None

    def _answer(self, number: int, path: bytes, *, end: bool = False) -> tuple[int, bytes]:
        """The answer to the request `number`. If answers to other requests arrive before it, they are kept.

        Raises the error for a status that is not OK. With `end`, the status EOF is not an error.
        """
        with self._lock:
            while number not in self._early:
                kind, body = self._message()
                if len(body) < 4:
                    raise self._odd(kind)
                self._early[struct.unpack_from(">I", body)[0]] = kind, body
            kind, body = self._early.pop(number)
        if kind == STATUS:
            code = struct.unpack_from(">I", body, 4)[0]
            if code and not (end and code == EOF):
                raise _status(code, body, path)
        return kind, body[4:]

    def _message(self) -> tuple[int, bytes]:
        length = struct.unpack(">I", self._exactly(4))[0]
        if not 1 <= length <= MOST:
            raise RemoteError(
                f"{self._label} sent something other than sftp", "do the login files there print something?",
                code="bad_answer",
            )  # fmt: skip
        data = self._exactly(length)
        return data[0], data[1:]

    def _exactly(self, count: int) -> bytes:
        while len(self._held) < count:
            data = os.read(self._reader, 1 << 18)
            if not data:
                raise self._lost()
            self._held += data
        found, self._held = self._held[:count], self._held[count:]
        return found

    def _names(self, answer: tuple[int, bytes]) -> list[File]:
        kind, body = answer
        if kind != NAME:
            raise self._odd(kind)
        try:
            return _files(body)
        except struct.error:
            raise self._odd(kind) from None

    def _odd(self, kind: int) -> TrainError:
        return RemoteError(f"{self._label} gave a malformed sftp answer ({kind})", code="bad_answer")

    def _lost(self) -> TrainError:
        return Unreachable(f"the connection to {self._label} was lost", code="lost")


def _files(body: bytes) -> list[File]:
    """The files in the answer to READDIR, REALPATH or READLINK."""
    count, at, files = struct.unpack_from(">I", body)[0], 4, []
    for _ in range(count):
        name, at = _string(body, at)
        _, at = _string(body, at)  # skips a line in the form of `ls -l`, which is meant for people
        file, at = _attributes(body, at, name)
        files.append(file)
    return files


def _text(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _string(body: bytes, at: int) -> tuple[bytes, int]:
    length = struct.unpack_from(">I", body, at)[0]
    return body[at + 4 : at + 4 + length], at + 4 + length


def _attributes(body: bytes, at: int, name: bytes) -> tuple[File, int]:
    """The file whose attributes begin at offset `at`, and the offset at which the attributes end."""
    flags, at = struct.unpack_from(">I", body, at)[0], at + 4
    size = mode = modified = 0
    if flags & 1:
        size, at = struct.unpack_from(">Q", body, at)[0], at + 8
    if flags & 2:
        at += 8  # skips the user and the group
    if flags & 4:
        mode, at = struct.unpack_from(">I", body, at)[0], at + 4
    if flags & 8:
        modified, at = struct.unpack_from(">I", body, at + 4)[0], at + 8
    if flags & 0x80000000:
        count, at = struct.unpack_from(">I", body, at)[0], at + 4
        for _ in range(2 * count):
            _, at = _string(body, at)
    return File(name, mode, size, modified), at


def _status(code: int, body: bytes, path: bytes) -> TrainError:
    said = _string(body, 8)[0].decode(errors="replace") if len(body) >= 12 else ""
    where = path.decode(errors="backslashreplace")
    if code == NO_SUCH_FILE:
        return NotFound(f"no such file: {where}", code="no_file")
    if code == PERMISSION_DENIED:
        return Conflict(f"permission denied: {where}", code="permission_denied")
    return SftpError(f"{where}: {said or f'error {code}'}".strip(": "))
