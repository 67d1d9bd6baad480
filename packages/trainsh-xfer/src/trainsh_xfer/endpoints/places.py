"""Resolves an endpoint to a place: a machine and a path on it, or a path in a storage."""

from collections.abc import Callable
from typing import Literal

import msgspec

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.remote.target import Target
from trainsh_xfer.endpoints.endpoint_text import Endpoint
from trainsh_xfer.endpoints.local_paths import absolute
from trainsh_xfer.endpoints.storages import Folder, Storage, is_stored
from trainsh_xfer.endpoints.storages import resolve as storage_at


class InStorage(msgspec.Struct, frozen=True, kw_only=True):
    """A path in a storage that rclone reaches. The path may have wildcards unless it is `literal`."""

    storage: Storage
    path: str
    literal: bool
    text: str = ""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A path on the machine `target`, or on this machine if `target` is None.

    A `literal` path has no `~` and no wildcards. Any other path may have wildcards after its first `fixed`
    characters.
    """

    target: Target | None = None
    path: str
    literal: bool
    fixed: int = 0
    text: str = ""


def find(
    endpoint: Endpoint,
    *,
    hosts: dict[str, str],
    storages: dict[str, str],
    cwd: str,
    literal: bool,
    text: str,
    resolve: Callable[[str], Target],
    remote: str,
) -> Place | InStorage:
    """Resolve `endpoint` to a place. A local path becomes absolute. A path on a host stays as written.

    `resolve` is a function that returns the target of a host's name or spec. `remote` is the name that rclone will
    use for a storage.

    Raises UsageError if the endpoint is a placeholder or a path with `..` in a storage, and the errors of
    `train-storage resolve`.
    """
    if endpoint.kind == "storage":
        return _in_storage(endpoint, storages, cwd, literal, text, resolve, remote)
    if endpoint.kind == "host":
        spec = _spec("host", endpoint.name, hosts)
        try:
            target = resolve(spec)
        except NotFound as error:
            if error.code != "no_host" or not is_stored(spec):
                raise
            hint = f"the storage {spec} is written storage:{spec}:{endpoint.path}"
            raise NotFound(error.message, hint, code=error.code, data=error.data) from None
        if target.kind != "local":
            return Place(target=target, path=endpoint.path, literal=literal, text=text)
    path, fixed = absolute(endpoint.path, cwd, literal=literal)
    return Place(path=path, literal=literal, fixed=fixed, text=text)


def _spec(kind: Literal["host", "storage"], name: str, given: dict[str, str]) -> str:
    spec = given.get(name, name).strip()
    if spec == "placeholder":
        raise UsageError(
            f"{kind} {name} is a placeholder that has no value yet", f"set it: --{kind} {name}=SPEC",
            code="placeholder", data={"kind": kind, "name": name},
        )  # fmt: skip
    return spec


def _in_storage(
    endpoint: Endpoint,
    given: dict[str, str],
    cwd: str,
    literal: bool,
    text: str,
    resolve: Callable[[str], Target],
    remote: str,
) -> Place | InStorage:
    spec = _spec("storage", endpoint.name, given)
    if ".." in endpoint.path.split("/"):
        raise UsageError(
            f"a path in a storage must not contain ..: {text!r}", "write the path without ..", code="bad_endpoint"
        )
    scheme, _, folder = spec.partition(":")
    found = Folder(path=folder) if scheme == "file" and folder else storage_at(spec, remote)
    if isinstance(found, Storage):
        return InStorage(storage=found, path=endpoint.path, literal=literal, text=text)
    target = resolve(found.host) if found.host else None
    if target is not None and target.kind != "local":
        path = f"{found.path.rstrip('/')}/{endpoint.path.lstrip('/')}"
        return Place(target=target, path=path, literal=literal, text=text)
    root = absolute(found.path, cwd, literal=False)[0].rstrip("/")
    return Place(path=f"{root}/{endpoint.path.lstrip('/')}", literal=literal, fixed=len(root) + 1, text=text)
