"""Where an endpoint is: the machine it is on, and its path there."""

from collections.abc import Callable
from typing import Literal

import msgspec

from trainsh_base.errors import MissingProgram, UsageError
from trainsh_base.remote.target import Target
from trainsh_xfer.endpoints.endpoint_text import Endpoint
from trainsh_xfer.endpoints.local_paths import absolute


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A path on a machine: `target`, or this one.

    A `literal` path has no `~` and no wildcards; of another one the part after `fixed` characters may have them.
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
) -> Place:
    """The place that `endpoint` names; local paths are absolute in it, those of a host as they were written.

    `resolve` finds the way to a host by its name or spec.

    Raises UsageError for a placeholder and for a path that leaves its storage, MissingProgram for a storage
    that needs more than rsync.
    """
    if endpoint.kind == "storage":
        return _in_storage(endpoint, storages, cwd, literal, text)
    if endpoint.kind == "host":
        spec = _spec("host", endpoint.name, hosts)
        target = resolve(spec)
        if target.kind != "local":
            return Place(target=target, path=endpoint.path, literal=literal, text=text)
    path, fixed = absolute(endpoint.path, cwd, literal=literal)
    return Place(path=path, literal=literal, fixed=fixed, text=text)


def _spec(kind: Literal["host", "storage"], name: str, given: dict[str, str]) -> str:
    spec = given.get(name, name).strip()
    if spec == "placeholder":
        raise UsageError(
            f"{kind} {name} is a placeholder that nothing has filled", f"say which one it is: --{kind} {name}=SPEC",
            code="placeholder", data={"kind": kind, "name": name},
        )  # fmt: skip
    return spec


def _in_storage(endpoint: Endpoint, storages: dict[str, str], cwd: str, literal: bool, text: str) -> Place:
    spec = _spec("storage", endpoint.name, storages)
    scheme, colon, folder = spec.partition(":")
    if scheme != "file" or not colon or not folder:
        raise MissingProgram(
            f"storage {_named(endpoint.name, spec)} needs train-storage, which is not installed",
            "this train-xfer moves files to hosts and to file:/path storages",
            code="no_tool", data={"tool": "storage", "spec": spec},
        )  # fmt: skip
    if ".." in endpoint.path.split("/"):
        raise UsageError(f"a path in a storage may not go up: {text!r}", "leave out the ..", code="bad_endpoint")
    root, _ = absolute(folder, cwd, literal=False)
    root = root.rstrip("/")
    return Place(path=f"{root}/{endpoint.path.lstrip('/')}", literal=literal, fixed=len(root) + 1, text=text)


def _named(name: str, spec: str) -> str:
    return spec if name == spec else f"{name} = {spec}"
