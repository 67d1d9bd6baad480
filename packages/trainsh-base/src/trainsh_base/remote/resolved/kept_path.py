"""Where the kept answer of `train-host resolve NAME` lies. This module loads nothing else (see kept_target.py)."""

from trainsh_base.system.paths import config_folder, fingerprint, runtime_folder


def kept_path(name: str) -> str:
    """Return the path of the kept target of the host `name`. Raises Conflict, as runtime_folder does."""
    text = "\0".join((config_folder(), name))
    return f"{runtime_folder()}/t-{fingerprint(text.encode('utf-8', 'surrogateescape')):016x}"
