"""Where things are: settings by XDG or `TRAINSH_HOME`, and short private folders for sockets."""

import os
from pathlib import Path


def config_home() -> Path:
    """`TRAINSH_HOME`, else `$XDG_CONFIG_HOME/tmux-trainsh`, else `~/.config/tmux-trainsh`."""
    own = os.environ.get("TRAINSH_HOME")
    if own:
        return Path(own).expanduser().absolute()
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "tmux-trainsh"


def config_file() -> Path:
    """The settings, `config.toml`."""
    return config_home() / "config.toml"


def jobs_home() -> Path:
    """One folder a job, and `open/` with those that are not over."""
    return config_home() / "jobs"


def recipes_home() -> Path:
    """The recipes that have names."""
    return config_home() / "recipes"


def state_home() -> Path:
    """Bug reports and what may be lost without harm: `$XDG_STATE_HOME/tmux-trainsh`, or under `TRAINSH_HOME`."""
    if os.environ.get("TRAINSH_HOME"):
        return config_home() / "state"
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "tmux-trainsh"


def runtime_home() -> Path:
    """A private folder with a short path, for sockets (a Unix socket's path may have 104 bytes on macOS).

    `$XDG_RUNTIME_DIR/train`, else `/tmp/train-UID`; made 0700, refused when another user owns it.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(base) / "train" if base and len(base) < 40 else Path(f"/tmp/train-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        folder = Path(f"/tmp/train-{os.getuid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder


def private_folder(folder: Path) -> Path:
    """`folder`, made with mode 0700 along with its parents when missing."""
    missing = []
    at = folder
    while not at.exists():
        missing.append(at)
        at = at.parent
    for part in reversed(missing):
        part.mkdir(mode=0o700, exist_ok=True)
    return folder
