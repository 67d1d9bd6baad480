"""Parses storage specs, such as `r2:bucket/prefix`, `file:/path` and `rclone:remote:path`."""

from trainsh_base.errors import UsageError
from trainsh_base.system.suggest import did_you_mean
from trainsh_storage.kinds import BY_SCHEME
from trainsh_storage.model import Storage


def is_spec(text: str) -> bool:
    """Whether `text` is a spec, and not the name of a configured storage."""
    return ":" in text


def parse(text: str) -> Storage:
    """The storage that a spec names. Raises UsageError for an unknown kind or a missing bucket."""
    scheme, _, rest = text.partition(":")
    if scheme not in BY_SCHEME:
        hint = did_you_mean(scheme, BY_SCHEME, f"kinds: {', '.join(f'{name}:' for name in BY_SCHEME)}")
        raise UsageError(f"there is no kind of storage {scheme!r}: {text}", hint, code="bad_spec")
    kind = BY_SCHEME[scheme]
    if scheme == "file":
        return _needs(text, rest, "file:/path/to/a/folder", Storage(name="", kind="local", config={"path": rest}))
    if scheme == "rclone":
        remote, colon, path = rest.partition(":")
        config = {"remote_name": remote, "path": path}
        return _needs(text, remote and colon, "rclone:REMOTE:PATH", Storage(name="", kind="rclone", config=config))
    if scheme == "gdrive":
        return Storage(name="", kind="gdrive", config={"path": rest.strip("/")})
    bucket, _, prefix = rest.strip("/").partition("/")
    found = Storage(name="", kind=kind.name, config={"bucket": bucket}, path=prefix)
    return _needs(text, bucket, f"{scheme}:BUCKET or {scheme}:BUCKET/PREFIX", found)


def _needs(text: str, given: str, form: str, storage: Storage) -> Storage:
    if not given:
        raise UsageError(f"not a storage: {text}", f"write {form}", code="bad_spec")
    return storage


def where(storage: Storage) -> str:
    """The storage as a spec for people, such as `r2:bucket/prefix` or `me@nas:/data`."""
    config = {key: str(value) for key, value in storage.config.items()}
    if storage.kind == "ssh":
        return f"{config.get('host', '?')}:{config.get('path', '')}"
    if storage.kind == "smb":
        return f"//{config.get('server', '?')}/{config.get('share', '')}"
    if storage.kind == "rclone" or config.get("remote_name"):
        return f"rclone:{config.get('remote_name', '?')}:{config.get('path', '')}"
    scheme = {"local": "file", "gcs": "gs"}.get(storage.kind, storage.kind)
    place = config.get("bucket", config.get("path", ""))
    return f"{scheme}:{'/'.join(part for part in (place, storage.path) if part)}"
