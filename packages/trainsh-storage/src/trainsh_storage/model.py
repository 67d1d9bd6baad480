"""The documents that train-storage reads and writes."""

from typing import Any, Literal

import msgspec


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """A storage, from storages.toml or from a spec.

    `config` has the settings of its kind; `path` is a prefix in the bucket. For a spec, `name` is "". Its
    credentials are then those for all storages of the kind.
    """

    name: str
    kind: str
    config: dict[str, Any] = {}
    path: str = ""
    default: bool = False


class Listed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A configured storage in a list. `problem` tells why it cannot be used."""

    name: str
    kind: str
    where: str
    default: bool
    problem: str = ""


class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A secret that a storage needs. `name` is the name under which it is stored or will be stored.

    The value is not included.
    """

    name: str
    set: bool


class Shown(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One storage, with the names of its credentials. `tested`: this call has tested it."""

    name: str
    kind: str
    where: str
    default: bool
    config: dict[str, Any]
    credentials: list[Credential]
    tested: bool = False


class Resolved(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a storage is reached.

    If `engine` is "folder", `root` is a folder of this machine. If it is "host", `root` is a folder on the host
    with the spec `host`. If it is "rclone", rclone's path is `remote` + `root`, and rclone needs `env` in its
    environment; `secret_env` lists the variables of `env` whose values are secret. `own_config`: rclone must read
    the user's own configuration file.
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
    """A file or folder in a storage. `size` is in bytes (None for a folder).

    `modified` is RFC 3339 ("" if not known).
    """

    name: str
    folder: bool
    size: int | None
    modified: str


class Usage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much a storage contains, in bytes."""

    name: str
    path: str
    files: int
    size: int


class Stage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stage of a test. `state` is ok, failed or skipped. `exit` is the exit status for this failure.

    `cause` is the kind of the failure, "" if it is not known.
    """

    name: str
    state: Literal["ok", "failed", "skipped"]
    detail: str = ""
    fix: str = ""
    exit: int = 0
    cause: Literal["", "authentication", "permission", "bucket", "network"] = ""


class Removed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The storage that was removed, and the deleted secrets that belonged only to it."""

    name: str
    secrets: list[str]
