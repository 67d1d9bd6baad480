"""The cell that is pasted into the notebook: the template `cell.txt` with this connection's values."""

from pathlib import Path

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.configuration import config, settings
from trainsh_colab.model import Tunnel

KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")


def cell(name: str, tunnel: Tunnel, key: str, password: str) -> str:
    """The text of the cell."""
    text = Path(__file__).with_name("cell.txt").read_text()
    for word, value in {"NAME": name, "KEY": key, "PASSWORD": password, "TUNNEL": tunnel}.items():
        text = text.replace(f"@{word}@", repr(value))
    return text


def public_key(file: str | None) -> str:
    """The public key that may log in: from `file`, else from defaults.ssh_key_path, else the usual one in ~/.ssh.

    Empty when there is none; raises NotFound for a named file that cannot be read.
    """
    named = file or _setting("defaults.ssh_key_path")
    if named:
        path = Path(named).expanduser()
        path = path if path.suffix == ".pub" else path.with_name(path.name + ".pub")
        try:
            return path.read_text().strip()
        except OSError as error:
            if file is None:
                return ""
            raise NotFound(
                f"cannot read the public key {path}: {error.strerror}", "name one: --key FILE", code="no_key"
            ) from None
    folder = Path.home() / ".ssh"
    return next((text for name in KEYS if (text := _text(folder / f"{name}.pub"))), "")


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _setting(name: str) -> str:
    """A setting that another package declares; empty when that package is not installed."""
    try:
        return str(config.lookup(settings.find(name), config.load()).value or "")
    except UsageError:
        return ""
