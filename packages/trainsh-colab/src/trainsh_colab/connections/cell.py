"""Makes the cell to paste into the notebook, from the template `cell.txt` and the connection's values."""

from pathlib import Path

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.configuration import config, settings
from trainsh_colab.model import Tunnel

KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")


def cell(name: str, tunnel: Tunnel, key: str, password: str) -> str:
    """Return the text of the cell."""
    text = Path(__file__).with_name("cell.txt").read_text()
    for word, value in {"NAME": name, "KEY": key, "PASSWORD": password, "TUNNEL": tunnel}.items():
        text = text.replace(f"@{word}@", repr(value))
    return text


def public_key(file: str | None) -> str:
    """Return the public key that may log in: from `file`, else from defaults.ssh_key_path, else from ~/.ssh.

    Returns "" if there is no key. Raises NotFound if `file` cannot be read.
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
    """Return the value of a setting that another package declares. Return "" if that package is not installed."""
    try:
        return str(config.lookup(settings.find(name), config.load()).value or "")
    except UsageError:
        return ""
