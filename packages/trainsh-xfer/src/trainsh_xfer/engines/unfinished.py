"""Marks of unfinished local copies, so that the next one continues inside the file.

rsync copies whole files when both sides are local, and would then ignore the part that is there. Reading it every
time would slow every copy that has nothing to continue.
"""

from collections.abc import Sequence
from pathlib import Path

from trainsh_base.system.paths import private_folder, state_home


def mark(sources: Sequence[str], destination: str) -> Path:
    """The file that stands for this copy while it is unfinished."""
    import hashlib  # noqa: PLC0415 - it loads OpenSSL

    name = hashlib.sha256("\0".join([*sources, destination]).encode(errors="surrogateescape")).hexdigest()[:32]
    return state_home() / "transfers" / name


def begin(path: Path) -> bool:
    """Set the mark; whether it was there. A state folder that cannot be written costs only the continuing."""
    try:
        was = path.exists()
        private_folder(path.parent)
        path.touch(mode=0o600)
    except OSError:
        return False
    return was


def end(path: Path) -> None:
    """The copy is whole: remove the mark."""
    path.unlink(missing_ok=True)
