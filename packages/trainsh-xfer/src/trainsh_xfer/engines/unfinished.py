"""Marker files for unfinished local copies, so that the next copy continues a partial file.

When both sides are local, rsync copies whole files and ignores a partial one. Using the partial file in every copy
would slow down those that have nothing to continue.
"""

from collections.abc import Sequence
from pathlib import Path

from trainsh_base.system.paths import private_folder, state_home


def mark(sources: Sequence[str], destination: str) -> Path:
    """The marker file of this copy."""
    import hashlib  # noqa: PLC0415 - it loads OpenSSL

    name = hashlib.sha256("\0".join([*sources, destination]).encode(errors="surrogateescape")).hexdigest()[:32]
    return state_home() / "transfers" / name


def begin(path: Path) -> bool:
    """Create the marker; returns whether it existed. If the state folder is not writable, the copy cannot be
    continued later."""
    try:
        was = path.exists()
        private_folder(path.parent)
        path.touch(mode=0o600)
    except OSError:
        return False
    return was


def end(path: Path) -> None:
    """Remove the marker: the copy is complete."""
    path.unlink(missing_ok=True)
