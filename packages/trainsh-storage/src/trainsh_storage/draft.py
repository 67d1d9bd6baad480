"""Makes a new storage from a spec, from keys, and from the answers to questions."""

from pathlib import Path

from trainsh_base.errors import UsageError
from trainsh_base.request import Request
from trainsh_base.system.suggest import did_you_mean
from trainsh_storage import kinds, spec
from trainsh_storage.model import Storage
from trainsh_storage.storages_file import check_name


def make(name: str | None, text: str | None, kind: str | None, values: dict[str, str], request: Request) -> Storage:
    """The storage for the arguments of `add`. If required values are missing, a person is asked for them.

    Raises UsageError for a wrong key or value, and for a missing value if there is no terminal to ask on.
    """
    if text is not None:
        given = from_text(text)
        kind, values = given.kind, {**{key: str(value) for key, value in given.config.items()}, **values}
    if kind is None:
        kind = request.ask(
            "choose", "What kind of storage?", choices=list(kinds.KINDS), default="r2", flag="--kind"
        )
    found = kinds.find(kind)
    check_keys(kind, values)
    for key in found.keys:
        if key.required and not values.get(key.name):
            values = {**values, key.name: _asked(key, request)}
    if kind == "r2" and not values.get("account_id") and not values.get("endpoint"):
        values = {**values, "account_id": _optional("Cloudflare account id (leave empty to set it later)", request)}
    if kind == "gdrive" and not values.get("remote_name"):
        values = {
            **values,
            "remote_name": _optional("Name of a remote in your rclone.conf (leave empty to use a token)", request),
        }
    if kind == "local":
        values = {**values, "path": str(Path(values["path"]).expanduser().absolute())}
    name = name or request.ask("text", "Name", default=_proposed(values), flag="NAME")
    config = {key: value for key, value in values.items() if value}
    return Storage(name=check_name(name), kind=kind, config=config)


def make_folder(storage: Storage) -> Path | None:
    """Make the folder of a storage on this machine. Return the folder if it was made, else None.

    It is made only if its parent exists. If several folders of a path are missing, its disk may not be mounted.
    """
    if storage.kind != "local":
        return None
    folder = Path(storage.config["path"])
    try:
        folder.mkdir()
    except OSError:  # the folder exists already, or a later test of the storage tells what is wrong
        return None
    return folder


def absent_folder(storage: Storage) -> str:
    """Return the folder of a storage on this machine, quoted for a shell, if it does not exist, else ""."""
    import shlex  # noqa: PLC0415 - only `add` needs it

    folder = storage.config.get("path", "") if storage.kind == "local" else ""
    return shlex.quote(folder) if folder and not Path(folder).exists() else ""


def from_text(text: str) -> Storage:
    """The storage that a spec names.

    Raises UsageError if the spec has a path in the bucket, because each transfer gives such a path itself.
    """
    storage = spec.parse(text)
    if storage.path:
        bucket = text.removesuffix("/" + storage.path)
        raise UsageError(
            f"a configured storage is a whole bucket: remove /{storage.path}",
            f"add {bucket}, and in recipes write the folder after its name: @NAME:/{storage.path}", code="bad_spec",
        )  # fmt: skip
    return storage


def check_keys(kind: str, values: dict[str, str]) -> None:
    """Raise UsageError for a key that this kind of storage does not have."""
    known = [key.name for key in kinds.KINDS[kind].keys]
    for key in values:
        if key not in known:
            hint = did_you_mean(key, known, f"keys of {kind}: {', '.join(known)}")
            raise UsageError(f"a storage of kind {kind} has no key {key!r}", hint, code="bad_key")


def pairs(words: list[str]) -> dict[str, str]:
    """Parse `KEY=VALUE` words into a dict. Raises UsageError for a word of another form."""
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f"not KEY=VALUE: {word!r}", "such as bucket=my-bucket", code="bad_key")
        found[key] = value
    return found


def _asked(key: kinds.Key, request: Request) -> str:
    text = key.help[:1].upper() + key.help[1:]
    while not (answer := request.ask("text", text, flag=f"{key.name}=").strip()):
        request.emit("log", message=f"{key.name} cannot be empty")
    return answer


def _optional(text: str, request: Request) -> str:
    """The answer to an optional question, or "" if the program is not interactive."""
    try:
        return request.ask("text", text, default="", flag="KEY=VALUE").strip()
    except UsageError:
        return ""


def _proposed(values: dict[str, str]) -> str | None:
    word = values.get("bucket") or values.get("remote_name") or values.get("host") or ""
    return word if word.replace("-", "").replace("_", "").isalnum() and word[0].isalpha() else None
