"""Parses an endpoint: a local path, a path on a host, or a path in a storage. No name is looked up."""

import re
from typing import Literal

import msgspec

from trainsh_base.errors import UsageError

STORAGE_SCHEMES = ("file", "r2", "b2", "s3", "gs", "gdrive", "rclone")
FORMS = "write host:NAME:/path, storage:NAME:/path, @NAME:/path or a local path"

_PREFIXED = re.compile(r"(host|storage):([^:/]+)(?::(.*))?", re.DOTALL)
_NAMED = re.compile(r"@([^:/]+)(?::(.*))?", re.DOTALL)
_BARE = re.compile(r"([^:/]+):(.*)", re.DOTALL)
_PROVIDER = re.compile(r"[a-z][a-z0-9_-]*")
# REF:PATH, the part after PROVIDER: in PROVIDER:REF:PATH
_INSTANCE = re.compile(r"([A-Za-z0-9_.-]+):(.*)", re.DOTALL)
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")


class Endpoint(msgspec.Struct, frozen=True):
    """One side of a transfer. `name` is the name or spec of a host or storage.

    For a local path, `name` is empty.
    """

    kind: Literal["local", "host", "storage"]
    name: str
    path: str


def parse(text: str, hosts: dict[str, str], storages: dict[str, str]) -> Endpoint:
    """Parse the text of an endpoint.

    `@NAME` may be a name in `hosts` or `storages`, which the caller has defined. `NAME:REF:PATH` is a path on a
    machine of the provider NAME; `host:` or `@` may stand before it.

    As in rsync and scp, an endpoint is remote if it has a colon before its first slash: `name:/path` is on a host,
    but `./name:/path` is a local file. Raises UsageError if `text` is not an endpoint.
    """
    if not text or "\0" in text:
        raise UsageError(f"not an endpoint: {text!r}", FORMS, code="bad_endpoint")
    if _URL.match(text):
        raise UsageError(f"URLs are not endpoints: {text!r}", FORMS, code="bad_endpoint")
    if found := _PREFIXED.fullmatch(text):
        kind: Literal["host", "storage"] = "host" if found[1] == "host" else "storage"
        return _remote(kind, found[2], found[3], text)
    if found := _NAMED.fullmatch(text):
        return _remote(_kind_of(found[1], hosts, storages), found[1], found[2], text)
    if found := _BARE.fullmatch(text):
        return _bare(found[1], found[2], text)
    return Endpoint("local", "", text)


def _kind_of(name: str, hosts: dict[str, str], storages: dict[str, str]) -> Literal["host", "storage"]:
    if name in hosts and name in storages:
        raise UsageError(
            f"@{name} is both a host and a storage", f"write host:{name}:/path or storage:{name}:/path",
            code="ambiguous_endpoint",
        )  # fmt: skip
    return "storage" if name in storages else "host"


def _bare(name: str, rest: str, text: str) -> Endpoint:
    if name == "local":
        return _remote("local", "", rest, text)
    if name in STORAGE_SCHEMES:
        return _inline_storage(name, rest, text)
    return _remote("host", name, rest, text)


def _inline_storage(scheme: str, rest: str, text: str) -> Endpoint:
    """Parse `rest`, the part of an endpoint after its scheme.

    `file:/path` is a local path. After any other scheme, the first part is the bucket, and the rest is the path in
    the bucket.
    """
    if scheme == "file":
        return _remote("local", "", rest, text)
    if scheme == "rclone":
        remote, _, path = rest.partition(":")
        return _remote("storage", f"{scheme}:{remote}:", path, text)
    bucket, _, path = rest.partition("/")
    return _remote("storage", f"{scheme}:{bucket}", "/" + path, text)


def _remote(kind: Literal["local", "host", "storage"], name: str, path: str | None, text: str) -> Endpoint:
    if kind == "host" and path and (found := _INSTANCE.fullmatch(path)) and _PROVIDER.fullmatch(name):
        name, path = f"{name}:{found[1]}", found[2]
    if not path:
        raise UsageError(f"no path in {text!r}", f"{FORMS}; ~/ is a home folder", code="bad_endpoint")
    return Endpoint(kind, name, path)
