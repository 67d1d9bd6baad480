"""The documents that train-storage reads and writes."""

from typing import Any, Literal

import msgspec


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """A storage, from storages.toml or from a spec: `config` holds what its kind needs, `path` is a prefix in it.

    `name` is "" for a spec, whose credentials are the global ones.
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
    """A secret that a storage needs: the name it is stored under, or would be; never its value."""

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

    engine "folder": `root` is a folder of this machine. "host": `root` is a folder on the host that the spec `host`
    names. "rclone": the place is `remote` + `root`, with `env` in rclone's environment; `secret_env` names those of
    its variables whose values are secret. `own_config`: rclone is to read the user's own configuration file.
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
    """A file or folder in a storage; `size` in bytes (None: a folder), `modified` is RFC 3339."""

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
    """One step of a test: `state` is ok, failed or skipped; `exit` is the status that a failure stands for, `cause`
    what is to blame for it (empty: none of these)."""

    name: str
    state: Literal["ok", "failed", "skipped"]
    detail: str = ""
    fix: str = ""
    exit: int = 0
    cause: Literal["", "authentication", "permission", "bucket", "network"] = ""


class Removed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was removed: the storage, and the secrets that were its own."""

    name: str
    secrets: list[str]
