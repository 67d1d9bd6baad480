"""Connects a host and a storage through this machine.

The local rclone reads and writes the host's disk by sftp, over the shared connection, so that the data passes
through this machine. The option `--sftp-ssh` (rclone 1.63 and later) takes the argv of an ssh, separated by spaces
and quoted as in CSV.
"""

from trainsh_base.request import Request
from trainsh_xfer.endpoints.places import InStorage, Place
from trainsh_xfer.endpoints.storages import HostFolder
from trainsh_xfer.hosts.machines import Connection


def over_sftp(side: Place | InStorage, remote: str, request: Request) -> Place | InStorage:
    """The storage by which rclone reaches a place on a host. The connection to the host is opened.

    Any other place is returned unchanged.
    """
    if isinstance(side, InStorage) or side.target is None:
        return side
    connection = Connection(side.target, request)
    connection.open()
    prefix = f"RCLONE_CONFIG_{remote}_"
    options = {
        "TYPE": "sftp",
        "SSH": " ".join(_quoted(word) for word in connection.words("")[:-1]),
        "SHELL_TYPE": "unix",
        "SET_MODTIME": "true",
    }
    storage = HostFolder(
        label=side.target.label,
        remote=f"{remote}:",
        root="",
        env={**side.target.env, **{prefix + key: value for key, value in options.items()}},
        secret_env=[],
        own_config=False,
    )
    return InStorage(storage=storage, path=side.path, literal=side.literal, text=side.text)


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"' if not word or set(word) & set(' "') else word
