"""The paths of train's files: settings and state (in `TRAINSH_HOME`, or as XDG defines), and a folder for
sockets.

The functions that end in `_folder` return text. They do without pathlib, which takes 5 ms to load, because `train
exec` needs them before its first request.
"""

import os
import stat

TYPE_CHECKING = False  # mypy takes this for true; importing typing takes 3 ms
if TYPE_CHECKING:
    from pathlib import Path


def config_folder() -> str:
    """Return `TRAINSH_HOME`, else `$XDG_CONFIG_HOME/tmux-trainsh`, else `~/.config/tmux-trainsh`."""
    own = os.environ.get("TRAINSH_HOME")
    if own:
        return os.path.join(os.getcwd(), _expanded(own))
    return os.path.join(os.environ.get("XDG_CONFIG_HOME") or _expanded("~/.config"), "tmux-trainsh")


def state_folder() -> str:
    """Return the folder for bug reports and other files that may be deleted.

    It is `state` in `TRAINSH_HOME` if that is set, else `tmux-trainsh` in `$XDG_STATE_HOME` or `~/.local/state`.
    """
    if os.environ.get("TRAINSH_HOME"):
        return os.path.join(config_folder(), "state")
    return os.path.join(os.environ.get("XDG_STATE_HOME") or _expanded("~/.local/state"), "tmux-trainsh")


def runtime_folder() -> str:
    """Return a private folder with a short path, for sockets: on macOS a socket's path may have only 104 bytes.

    It is the first of these folders that we can write to and nobody else can access: `$XDG_RUNTIME_DIR/train`,
    `/tmp/train-UID`, and `run` in the state folder. Raises Conflict if there is none.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    folders = [os.path.join(base, "train")] if base and len(base) < 40 else []
    folders += [f"/tmp/train-{os.getuid()}", os.path.join(state_folder(), "run")]
    for folder in folders:
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            if _ours_alone(folder) and os.access(folder, os.W_OK):
                return folder
        except OSError:
            continue
    from trainsh_base.errors import Conflict  # noqa: PLC0415 - seldom needed

    raise Conflict(
        f"no private folder for sockets: {', '.join(folders)} cannot be made or written to, or belong to others",
        "set XDG_RUNTIME_DIR to a folder that you own, with a short path", code="no_runtime_folder",
    )  # fmt: skip


def fingerprint(data: bytes) -> int:
    """Hash `data` with FNV-1a, 64 bits.

    Importing hashlib would add 5 ms to every start. A hash that resists attacks is not needed, because no other
    program writes these names.
    """
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def jobs_folder() -> str:
    """Return the folder that has one folder for each job, and `open/` for the jobs that have not ended."""
    return os.path.join(config_folder(), "jobs")


def make_private(folder: str) -> None:
    """Create `folder` and its parents with mode 0700 if they are missing."""
    missing = []
    at = folder
    while at and not os.path.exists(at):
        missing.append(at)
        at = os.path.dirname(at)
    for part in reversed(missing):
        try:
            os.mkdir(part, mode=0o700)
        except FileExistsError:
            if not os.path.isdir(part):
                raise


def config_home() -> "Path":
    """Return `config_folder()` as a Path."""
    return _path(config_folder())


def config_file() -> "Path":
    """Return the path of `config.toml`."""
    return config_home() / "config.toml"


def jobs_home() -> "Path":
    """Return `jobs_folder()` as a Path."""
    return _path(jobs_folder())


def recipes_home() -> "Path":
    """Return the folder of the named recipes."""
    return config_home() / "recipes"


def state_home() -> "Path":
    """Return `state_folder()` as a Path."""
    return _path(state_folder())


def runtime_home() -> "Path":
    """Return `runtime_folder()` as a Path. Raises the same error."""
    return _path(runtime_folder())


def private_folder(folder: "Path") -> "Path":
    """Do the same as `make_private`. Return `folder`."""
    make_private(str(folder))
    return folder


def _path(text: str) -> "Path":
    from pathlib import Path  # noqa: PLC0415 - see above

    return Path(text)


def _expanded(path: str) -> str:
    """Replace a leading `~` or `~USER`. Raises RuntimeError, as pathlib does, if the home folder is not known."""
    expanded = os.path.expanduser(path)
    if expanded.startswith("~"):
        raise RuntimeError("Could not determine home directory.")
    return expanded


def _ours_alone(folder: str) -> bool:
    """Whether this user owns `folder`.

    If others could access it, end that access, and remove the files of others.
    """
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        return False
    if found.st_mode & 0o077:
        os.chmod(folder, 0o700)
        for entry in list(os.scandir(folder)):
            if entry.stat(follow_symlinks=False).st_uid != os.getuid():
                os.unlink(entry.path)
    return True
