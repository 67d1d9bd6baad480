"""The paths of train's files: settings and state (in `TRAINSH_HOME`, or as XDG defines), and a folder for
sockets.
"""

import os
import stat
from pathlib import Path

from trainsh_base.errors import Conflict


def config_home() -> Path:
    """Return `TRAINSH_HOME`, else `$XDG_CONFIG_HOME/tmux-trainsh`, else `~/.config/tmux-trainsh`."""
    own = os.environ.get("TRAINSH_HOME")
    if own:
        return Path(own).expanduser().absolute()
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "tmux-trainsh"


def config_file() -> Path:
    """Return the path of `config.toml`."""
    return config_home() / "config.toml"


def jobs_home() -> Path:
    """Return the folder that has one folder for each job, and `open/` for the jobs that have not ended."""
    return config_home() / "jobs"


def recipes_home() -> Path:
    """Return the folder of the named recipes."""
    return config_home() / "recipes"


def state_home() -> Path:
    """Return the folder for bug reports and other files that may be deleted.

    It is `state` in `TRAINSH_HOME` if that is set, else `tmux-trainsh` in `$XDG_STATE_HOME` or `~/.local/state`.
    """
    if os.environ.get("TRAINSH_HOME"):
        return config_home() / "state"
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "tmux-trainsh"


def runtime_home() -> Path:
    """Return a private folder with a short path, for sockets: on macOS a socket's path may have only 104 bytes.

    It is the first of these folders that only we can access: `$XDG_RUNTIME_DIR/train`, `/tmp/train-UID`, and `run`
    in the state folder. Raises Conflict if others can access all three.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    folders = [Path(base) / "train"] if base and len(base) < 40 else []
    folders += [Path(f"/tmp/train-{os.getuid()}"), state_home() / "run"]
    for folder in folders:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _ours_alone(folder):
                return folder
        except OSError:
            continue
    names = ", ".join(map(str, folders))
    raise Conflict(
        f"no private folder for sockets: {names} cannot be made, or belong to somebody else",
        "set XDG_RUNTIME_DIR to a folder that you own, with a short path", code="no_runtime_folder",
    )  # fmt: skip


def _ours_alone(folder: Path) -> bool:
    """Whether this user owns `folder`.

    If others could access it, end that access, and remove the files of others.
    """
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        return False
    if found.st_mode & 0o077:
        folder.chmod(0o700)
        for entry in folder.iterdir():
            if entry.lstat().st_uid != os.getuid():
                entry.unlink()
    return True


def private_folder(folder: Path) -> Path:
    """Create `folder` and its parents with mode 0700 if they are missing. Return `folder`."""
    missing = []
    at = folder
    while not at.exists():
        missing.append(at)
        at = at.parent
    for part in reversed(missing):
        part.mkdir(mode=0o700, exist_ok=True)
    return folder
