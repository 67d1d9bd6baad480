"""The documents that train-storage reads and writes."""

from typing import Any, Literal

import msgspec


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """A storage, from storages.toml or from a spec: `config` holds the settings of its kind, `path` a prefix in the
    bucket.

    `name` is "" for a spec; its credentials are then those for all storages of the kind.
    """

    name: str
    kind: str
    config: dict[str, Any] = {}
    path: str = ""
    default: bool = False


class Listed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A configured storage in a list; `problem` says why it cannot be used."""

    name: str
    kind: str
    where: str
    default: bool
    problem: str = ""


class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A secret that a storage needs: the name under which it is or will be stored; never its value."""

    name: str
    set: bool


class Shown(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One storage, with the names of its credentials."""

    name: str
    kind: str
    where: str
    default: bool
    config: dict[str, Any]
    credentials: list[Credential]


class Resolved(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a storage is reached.

    `engine` "folder": `root` is a folder of this machine. "host": `root` is a folder on the host with the spec
    `host`. "rclone": rclone's path is `remote` + `root`, with `env` in rclone's environment; `secret_env` lists the
    variables of `env` whose values are secret. `own_config`: rclone must read the user's own configuration file.
    """

    name: str
    kind: str
    engine: Literal["folder", "host", "rclone"]
    root: str
    remote: str = ""
    env: dict[str, str] = {}
    secret_env: list[str] = []
    host: str = ""
    own_config: bool = False


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file or folder in a storage; `size` in bytes (None: a folder), `modified` is RFC 3339 ("": unknown)."""

    name: str
    folder: bool
    size: int | None
    modified: str


class Usage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a storage holds, in bytes."""

    name: str
    path: str
    files: int
    size: int


class Stage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stage of a test: `state` is ok, failed or skipped; `exit` is the exit status for this failure; `cause` is
    the kind of the failure ("" if unknown).
    """

    name: str
    state: Literal["ok", "failed", "skipped"]
    detail: str = ""
    fix: str = ""
    exit: int = 0
    cause: Literal["", "authentication", "permission", "bucket", "network"] = ""


class Removed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The storage that was removed, and the deleted secrets that only it used."""

    name: str
    secrets: list[str]
