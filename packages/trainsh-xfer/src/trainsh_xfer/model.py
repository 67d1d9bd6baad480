"""The documents of a transfer: options and results."""

from typing import Literal

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to copy. The options are the same for every engine.

    `bwlimit` is in KiB a second, or 0 for no limit. `force` allows what a guard would refuse. `as_is` is for files
    that come from a host: set-user-id bits, and links that lead out of the tree, are kept. `rules` are rules of
    rsync (`+ PATTERN`, `- PATTERN`) from files; they come after `include` and `exclude`. `jobs` is how many files
    may be copied at the same time, or 0 for the engine's default. The transfer itself sets `compress`.
    """

    delete: bool = False
    exclude: list[str] = []
    include: list[str] = []
    rules: list[str] = []
    jobs: int = 0
    dry_run: bool = False
    checksum: bool = False
    bwlimit: int = 0
    move: bool = False
    force: bool = False
    as_is: bool = False
    compress: bool = False

    @property
    def filters(self) -> list[tuple[str, str]]:
        """All rules in order, each as a pair of `+` or `-` and a pattern. The first rule that matches decides."""
        named = [("+", one) for one in self.include] + [("-", one) for one in self.exclude]
        return named + [(rule[0], rule[2:]) for rule in self.rules]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A copy to make: both endpoints as written, whether each of them was quoted, and the names that they
    may use.
    """

    source: str
    destination: str
    options: Options
    verify: bool = False
    exclude_from: list[str] = []
    gitignore: bool = False
    hosts: dict[str, str] = {}
    storages: dict[str, str] = {}
    cwd: str | None = None
    source_quoted: bool = False
    destination_quoted: bool = False


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry that a dry run would change. `size` is in bytes, or 0 if the entry is not a file."""

    action: Literal["create", "update", "attributes", "delete"]
    kind: Literal["file", "folder", "link", "other"]
    path: str
    size: int


class Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a transfer did, or would do.

    `files` were copied whole or in part, `bytes` is their size, `sent` the bytes that were sent for them (fewer if
    a part was there already), `deleted` the entries removed at the destination. `changes` is set by a dry run.
    """

    source: str
    destination: str
    files: int
    bytes: int
    sent: int
    deleted: int
    seconds: float
    dry_run: bool
    verified: bool
    changes: list[Change]
    warnings: list[str]
    route: str = ""


class Following(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a checkpoint pump does: `newest` is the newest entry that is safe in the storage, `written` the time at
    which it was written (seconds since 1970), `age` the seconds since then.

    `state`: `following`; `ended` (it was stopped, or the job's sessions on that host ended; all is in the storage
    unless `failed`); `lost` (killed, or the host was restarted); `unreachable` (the host does not answer). `kept`
    entries are in the storage; `failed` is the last error.
    """

    source: str
    destination: str
    host: str
    job: str
    state: Literal["following", "ended", "lost", "unreachable"]
    newest: str | None = None
    written: float | None = None
    age: float | None = None
    kept: int = 0
    failed: str = ""
    message: str = ""
