"""A file on a host, and the document for it that `browse --json` prints."""

import stat
from typing import Literal

import msgspec

Kind = Literal["folder", "file", "link", "other"]


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file.

    `size` is in bytes, `modified` in seconds since 1970, `mode` are the permission bits, such as `-rw-r--r--`. If a
    name is not UTF-8, `name_base64` has its bytes, and `name` has `\\xff` for each byte that is not text.
    """

    name: str
    kind: Kind
    size: int = 0
    modified: int = 0
    mode: str = ""
    name_base64: str = ""


class File(msgspec.Struct, frozen=True):
    """A file on a host. Its name is bytes, which may be anything except `/` and NUL."""

    name: bytes
    mode: int = 0
    size: int = 0
    modified: int = 0

    @property
    def kind(self) -> Kind:
        """The kind of the file. The kind of a link is "link", even if the link leads to a folder."""
        if stat.S_ISDIR(self.mode):
            return "folder"
        if stat.S_ISLNK(self.mode):
            return "link"
        return "file" if stat.S_ISREG(self.mode) else "other"

    @property
    def text(self) -> str:
        """The name as text. Bytes that are not UTF-8 become surrogates (Python's `surrogateescape`)."""
        return self.name.decode("utf-8", "surrogateescape")

    def entry(self) -> Entry:
        """The file as a document."""
        try:
            name, raw = self.name.decode(), ""
        except UnicodeDecodeError:
            import base64  # noqa: PLC0415 - imported here because every train-host loads this module

            name, raw = self.name.decode(errors="backslashreplace"), base64.b64encode(self.name).decode()
        return Entry(
            name=name, kind=self.kind, size=self.size, modified=self.modified, mode=stat.filemode(self.mode),
            name_base64=raw,
        )  # fmt: skip
