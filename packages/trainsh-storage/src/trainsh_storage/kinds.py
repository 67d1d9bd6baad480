"""The kinds of storage. Each kind has its keys in storages.toml, its credentials, and its rclone backend.

Keys and credentials have the same names as in tmux-trainsh 0.9. https://rclone.org/overview/ describes the
backends.
"""

import msgspec

from trainsh_base.errors import UsageError
from trainsh_base.system.suggest import did_you_mean


class Key(msgspec.Struct, frozen=True):
    """A key of `[storages.config]`, with its description.

    If a required key is missing, train asks for its value.
    """

    name: str
    help: str
    required: bool = False


class Need(msgspec.Struct, frozen=True):
    """A credential. Its value is passed to an option of rclone.

    The name of its secret consists of the storage's name and `suffix`. `known` is the name of the secret that
    serves all storages of the kind. `obscured` means that rclone needs the value in the form that `rclone obscure`
    prints. If no credential of a kind is required, train asks for the one that has a text `asked`, and shows this
    text.
    """

    suffix: str
    known: str
    option: str
    obscured: bool = False
    required: bool = True
    asked: str = ""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of storage.

    Its specs begin with `scheme`. `root` is the name of the key that has the bucket or folder. `backend` is the
    name that rclone has for the kind.
    """

    name: str
    scheme: str
    root: str
    keys: tuple[Key, ...]
    needs: tuple[Need, ...] = ()
    backend: str = ""
    options: dict[str, str] = {}


_BUCKET = Key("bucket", "name of the bucket", True)
_S3_OPTIONS = {"no_check_bucket": "true"}  # a key for a single bucket may not be allowed to create or check buckets

KINDS = {
    kind.name: kind
    for kind in (
        Kind(name="local", scheme="file", root="path", keys=(Key("path", "folder on this machine", True),)),
        Kind(
            name="ssh", scheme="", root="path",
            keys=(
                Key("host", "a host's name, or user@host", True), Key("path", "folder there", True),
                Key("key_path", "private key to log in with"),
            ),
        ),
        Kind(
            name="r2", scheme="r2", root="bucket", backend="s3",
            keys=(
                _BUCKET, Key("account_id", "Cloudflare account"), Key("endpoint", "address of the service"),
            ),
            needs=(
                Need("ACCESS_KEY", "R2_ACCESS_KEY", "access_key_id"),
                Need("SECRET_KEY", "R2_SECRET_KEY", "secret_access_key"),
            ),
            options={"provider": "Cloudflare", "region": "auto", **_S3_OPTIONS},
        ),
        Kind(
            name="b2", scheme="b2", root="bucket", backend="b2",
            keys=(_BUCKET, Key("endpoint", "address of the service")),
            needs=(
                Need("KEY_ID", "B2_KEY_ID", "account"), Need("APPLICATION_KEY", "B2_APPLICATION_KEY", "key"),
            ),
        ),
        Kind(
            name="s3", scheme="s3", root="bucket", backend="s3",
            keys=(
                _BUCKET, Key("region", "region of the bucket"),
                Key("endpoint", "address of the service, if it is not Amazon's"),
            ),
            needs=(
                Need("ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID", "access_key_id"),
                Need("SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "secret_access_key"),
            ),
            options=_S3_OPTIONS,
        ),
        Kind(
            name="gcs", scheme="gs", root="bucket", backend="google cloud storage",
            keys=(_BUCKET,),
            needs=(Need("SERVICE_ACCOUNT", "GOOGLE_CLOUD_CREDENTIALS", "service_account_credentials"),),
            options={"bucket_policy_only": "true", "no_check_bucket": "true"},
        ),
        Kind(
            name="gdrive", scheme="gdrive", root="path", backend="drive",
            keys=(
                Key("remote_name", "a remote of your own rclone configuration (rclone config)"),
                Key("path", "folder on the drive"), Key("root_folder_id", "id of the folder that is the top "
                "of the storage"),
                Key("client_id", "your own OAuth client id; the one shared by all rclone users ends in 2026"),
            ),
            needs=(
                Need("DRIVE_CREDENTIALS", "GOOGLE_DRIVE_CREDENTIALS", "service_account_credentials", False, False),
                Need(
                    "DRIVE_TOKEN", "GOOGLE_DRIVE_TOKEN", "token", required=False,
                    asked=": the output of `rclone authorize drive`",
                ),
                Need("DRIVE_CLIENT_SECRET", "GOOGLE_DRIVE_CLIENT_SECRET", "client_secret", False, False),
            ),
            options={"scope": "drive"},
        ),
        Kind(
            name="smb", scheme="", root="share", backend="smb",
            keys=(
                Key("server", "name or address of the server", True), Key("share", "name of the share", True),
                Key("username", "the account there"),
            ),
            needs=(Need("PASSWORD", "SMB_PASSWORD", "pass", obscured=True),),
        ),
        Kind(
            name="rclone", scheme="rclone", root="path",
            keys=(
                Key("remote_name", "a remote of your own rclone configuration", True), Key("path", "folder there"),
            ),
        ),
    )
}  # fmt: skip
BY_SCHEME = {kind.scheme: kind for kind in KINDS.values() if kind.scheme}


def find(name: str) -> Kind:
    """The kind called `name`. If there is none, raise UsageError with the most similar name as a hint."""
    if name not in KINDS:
        hint = did_you_mean(name, KINDS, f"kinds: {', '.join(KINDS)}")
        raise UsageError(f"there is no kind of storage {name!r}", hint, code="bad_kind")
    return KINDS[name]
