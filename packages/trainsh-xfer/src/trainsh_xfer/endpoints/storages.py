"""Storages, and how to reach them, as `train-storage resolve` answers."""

import os
import time

import msgspec

from trainsh_base.errors import MissingProgram, TrainError
from trainsh_base.tool.peer import ANSWER_LIMIT, call

# Seconds for which an answer is used again. After this time at the latest, a changed or removed credential takes
# effect.
RESOLVED_FOR = 30.0


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """A storage that rclone reaches.

    The paths of the storage begin with `remote` and `root`. `env` is added to rclone's environment, and
    `secret_env` names the variables of `env` whose values are secret. If `own_config` is true, the remote is
    defined in the user's own rclone configuration.
    """

    label: str
    remote: str
    root: str
    env: dict[str, str]
    secret_env: list[str]
    own_config: bool

    @property
    def backend(self) -> str:
        """rclone's name for the kind of the service, or "" for a remote of the user's own rclone configuration."""
        return self.env.get(f"RCLONE_CONFIG_{self.remote.removesuffix(':')}_TYPE", "")

    def at(self, path: str) -> str:
        """rclone's argument for `path` in this storage."""
        inside = path.strip("/")
        return self.remote + "/".join(part for part in (self.root.strip("/"), inside) if part)


class HostFolder(Storage, frozen=True, kw_only=True):
    """The disk of a host. A path that does not begin with `/` is relative to the home folder.

    An rclone on another machine reaches this disk by sftp. For an rclone on the host itself, the disk is local:
    then `remote` is empty, and `home` is put before a relative path.
    """

    home: str = ""

    def at(self, path: str) -> str:
        """rclone's argument for `path` on the host. In `path`, `~/` means the home folder."""
        inside = "" if path == "~" else path.removeprefix("~/")
        if self.home and not inside.startswith("/"):
            inside = f"{self.home}/{inside}"
        return self.remote + (inside.rstrip("/") or path[:1].replace("~", ""))


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """A storage that is a folder, either on this machine or on the host with the spec `host`."""

    path: str
    host: str = ""


_resolved: dict[tuple[str, str, int], tuple[float, Storage | Folder]] = {}


def resolve(spec: str, remote: str) -> Storage | Folder:
    """Resolve the storage whose name or spec is `spec`. rclone will use `remote`, in capitals, as the storage's
    name.

    An answer is used again for RESOLVED_FOR seconds, because `serve` often copies to the same storages. Raises the
    errors of `_asked`.
    """
    key, now = (spec, remote, hash(frozenset(os.environ.items()))), time.monotonic()
    for old in [old for old, (since, _) in _resolved.items() if now - since > RESOLVED_FOR]:
        del _resolved[old]
    if key not in _resolved:
        _resolved[key] = (now, _asked(spec, remote))
    return _resolved[key][1]


def _asked(spec: str, remote: str) -> Storage | Folder:
    """Ask train-storage how to reach a storage.

    Raises MissingProgram when train-storage is not installed, and the errors of `train-storage resolve`.
    """
    try:
        answer = call("storage", "resolve", {"spec": spec, "remote": remote}, timeout=ANSWER_LIMIT)
    except MissingProgram as error:
        if error.code != "no_tool":
            raise
        raise MissingProgram(
            f"storage {spec} needs train-storage, which is not installed",
            "without it train-xfer moves files to hosts and to file:/path storages",
            code="no_tool", data={"tool": "storage", "spec": spec},
        ) from None  # fmt: skip
    if answer["engine"] != "rclone":
        return Folder(path=answer["root"], host=answer["host"])
    return Storage(
        label=answer["name"] or spec,
        remote=answer["remote"],
        root=answer["root"],
        env=answer["env"],
        secret_env=answer["secret_env"],
        own_config=answer["own_config"],
    )


def is_stored(name: str) -> bool:
    """Whether a storage has this name. Return False if train-storage does not answer."""
    try:
        return any(row["name"] == name for row in call("storage", "list", timeout=ANSWER_LIMIT))
    except TrainError:
        return False
