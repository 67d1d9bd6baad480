"""Resolves a storage's name or spec to a folder, a host, or rclone's environment."""

import os
import re
from pathlib import Path

import msgspec

from trainsh_base.errors import CredentialError, UsageError
from trainsh_base.system.configuration.config import config_value
from trainsh_base.system.suggest import nearest
from trainsh_storage import credentials, rclone, region, spec, storages_file
from trainsh_storage.kinds import BY_SCHEME, KINDS
from trainsh_storage.model import Resolved, Storage

R2_ADDRESS = "https://{}.r2.cloudflarestorage.com"


def find(text: str) -> Storage:
    """The storage with this spec or this configured name. `NAME/prefix` is not accepted as a name."""
    if not spec.is_spec(text):
        return storages_file.get(text)
    try:
        return spec.parse(text)
    except UsageError as error:
        name = text.partition(":")[0]
        if name not in BY_SCHEME and (near := nearest(name, [each.name for each in storages_file.load()])):
            path = text.partition(":")[2].strip("/")
            apart = f" The path is an argument of its own: {near} {path}" if path else ""
            raise UsageError(error.message, f"did you mean the storage {near}?{apart}", code=error.code) from None
        raise


def resolve(storage: Storage, remote: str) -> Resolved:
    """How to reach a storage. rclone's remote will have the name `remote`.

    Raises CredentialError if a credential is missing, and UsageError if the storage's table in storages.toml is
    incomplete.
    """
    for key in KINDS[storage.kind].keys:
        if key.required and not storage.config.get(key.name):
            raise UsageError(
                f"storage {storage.name} has no {key.name}", f"train storage edit {storage.name} {key.name}=VALUE",
                code="bad_storages",
            )  # fmt: skip
    if storage.kind == "local":
        return _of(storage, "folder", str(Path(storage.config["path"]).expanduser()))
    if storage.kind == "ssh":
        return msgspec.structs.replace(_of(storage, "host", storage.config["path"]), host=_host(storage))
    own = storage.config.get("remote_name")
    if own:
        return msgspec.structs.replace(
            _of(storage, "rclone", str(storage.config.get("path", ""))), remote=f"{own}:", own_config=True
        )
    return _with_rclone(storage, remote)


def _of(storage: Storage, engine: str, root: str) -> Resolved:
    return msgspec.convert({"name": storage.name, "kind": storage.kind, "engine": engine, "root": root}, Resolved)


def _host(storage: Storage) -> str:
    host, key = str(storage.config["host"]), storage.config.get("key_path")
    return f"{host} -i {key}" if key else host


def _with_rclone(storage: Storage, remote: str) -> Resolved:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", remote):
        raise UsageError(
            f"not a name for a remote: {remote!r}", "use capital letters, digits and _", code="bad_remote"
        )
    kind = KINDS[storage.kind]
    prefix = f"RCLONE_CONFIG_{remote}_"
    plain = {"type": kind.backend, **kind.options, **_options(storage)}
    secret = {}
    for need in kind.needs:
        value = credentials.value(storage, need)
        if value is not None:
            secret[need.option] = rclone.obscure(value) if need.obscured else value
    if storage.kind == "gdrive" and not secret:
        raise CredentialError(
            "Google Drive needs a remote of your own rclone configuration, or a token", _drive_hint(storage),
            code="no_credential",
        )  # fmt: skip
    root = "/".join(part for part in (str(storage.config.get(kind.root, "")).strip("/"), storage.path) if part)
    return msgspec.structs.replace(
        _of(storage, "rclone", root),
        remote=f"{remote}:",
        env={prefix + key.upper(): value for key, value in {**plain, **secret}.items()},
        secret_env=[prefix + key.upper() for key in secret],
    )


def _drive_hint(storage: Storage) -> str:
    name = storage.name or "drive"
    return f"rclone config    (create a remote of type drive), then: train storage add {name} rclone:REMOTE:"


def _options(storage: Storage) -> dict[str, str]:
    """The options of rclone that depend on the storage's keys and on settings."""
    config = {key: str(value) for key, value in storage.config.items()}
    if storage.kind == "r2":
        return {"endpoint": _r2_endpoint(storage)}
    if storage.kind == "s3":
        endpoint = config.get("endpoint") or config_value("s3.endpoint") or ""
        if endpoint:
            known = config.get("region") or os.environ.get("AWS_REGION") or "us-east-1"
            return {"provider": "Other", "endpoint": endpoint, "region": known, "force_path_style": "true"}
        return {"provider": "AWS", "region": config.get("region") or region.of(config["bucket"])}
    if storage.kind == "b2":
        endpoint = config.get("endpoint") or config_value("b2.endpoint") or ""
        return {"endpoint": endpoint} if endpoint else {}
    if storage.kind == "smb":
        return {"host": config["server"], **({"user": config["username"]} if config.get("username") else {})}
    wanted = ("root_folder_id", "client_id") if storage.kind == "gdrive" else ()
    return {key: config[key] for key in wanted if config.get(key)}


def _r2_endpoint(storage: Storage) -> str:
    """The endpoint of an R2 storage, from the storage's own keys.

    For a spec, the endpoint comes from a configured storage with the same bucket. Without one, it comes from
    settings.
    """
    config = storage.config
    if not storage.name and not storage.config.get("account_id"):
        same = (one for one in storages_file.load() if one.kind == "r2")
        config = next((one.config for one in same if one.config.get("bucket") == config["bucket"]), config)
    endpoint = config.get("endpoint") or config_value("r2.endpoint")
    account = config.get("account_id") or os.environ.get("R2_ACCOUNT_ID") or config_value("r2.account_id")
    if endpoint:
        return str(endpoint)
    if not account:
        raise CredentialError(
            f"the Cloudflare account of the bucket {storage.config['bucket']} is not known",
            "train config set r2.account_id ID", code="no_account",
        )  # fmt: skip
    return R2_ADDRESS.format(account)
