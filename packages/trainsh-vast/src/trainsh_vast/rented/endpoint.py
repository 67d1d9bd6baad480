"""The addresses of an instance's sshd (the direct address first, then Vast.ai's proxy), and the target for an
address.
"""

from pathlib import Path
from typing import Any

import msgspec

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.remote.target import Target, ssh_target
from trainsh_base.system.configuration import config, settings
from trainsh_base.system.configuration.config import config_value
from trainsh_base.system.paths import private_folder, state_home

KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")


class Point(msgspec.Struct, frozen=True):
    """An address of an sshd. `way` is `direct` or `proxy`."""

    way: str
    host: str
    port: int


def points(row: dict[str, Any]) -> list[Point]:
    """The addresses to try, the best one first."""
    found = []
    direct = ((row.get("ports") or {}).get("22/tcp") or [{}])[0].get("HostPort")
    address = str(row.get("public_ipaddr") or "").strip()
    if direct and address:
        found.append(Point("direct", address, int(direct)))
    host, port = str(row.get("ssh_host") or "").strip(), row.get("ssh_port")
    if host and port:
        # For images with Jupyter, the port that the service reports for its proxy is one too low.
        jupyter = "jupyter" in str(row.get("image_runtype") or "")
        found.append(Point("proxy", host, int(port) + jupyter))
    return found


def private_key() -> Path | None:
    """The private key for logins, or None.

    It is the key in the setting. Without the setting, it is the first of the usual key files that has a public key
    beside it.
    """
    own = other_setting("defaults.ssh_key_path")
    if own:
        return Path(str(own)).expanduser()
    folder = Path.home() / ".ssh"
    return next((folder / name for name in KEYS if (folder / f"{name}.pub").exists()), None)


def other_setting(name: str) -> Any:
    """The value of a setting that another package declares, or None when that package is not installed."""
    try:
        return config.lookup(settings.find(name), config.load()).value
    except UsageError:
        return None


def public_key(file: str | None = None) -> tuple[str, Path]:
    """The text and the file of the public key. Raises NotFound when there is none."""
    private = Path(file).expanduser() if file else private_key()
    if private is None:
        raise NotFound("there is no ssh key in ~/.ssh", "make one: ssh-keygen -t ed25519", code="no_key")
    path = private if private.suffix == ".pub" else private.with_name(private.name + ".pub")
    try:
        return path.read_text().strip(), path
    except OSError as error:
        raise NotFound(
            f"cannot read the public key {path}: {error.strerror}", "name one: --key FILE", code="no_key"
        ) from None


def target(number: int, point: Point) -> Target:
    """The target of an instance at an address.

    The first host key of the instance is accepted. After that, every port of the instance must show the same host
    key.
    """
    known_hosts = str(private_folder(state_home() / "known_hosts") / f"vast-{number}")
    argv = ["ssh", "-p", str(point.port)]
    key = private_key()
    if key is not None and key.exists():
        argv += ["-i", str(key)]
    argv += ["-o", f"UserKnownHostsFile={_in_quotes(known_hosts)}", "-o", "StrictHostKeyChecking=accept-new"]
    user = config_value("vast.user")
    argv += ["-o", f"HostKeyAlias=vast-{number}", f"{user}@{point.host}"]
    found = ssh_target(
        f"vast:{number}", argv, label=f"vast:{number}", known_hosts=known_hosts, rented=True, bootstrap=True
    )
    if "machine" in Target.__struct_fields__:
        found = msgspec.structs.replace(found, machine=f"vast-{number}")
    return found


def _in_quotes(path: str) -> str:
    return f'"{path}"' if " " in path else path
