"""Calls train-xfer to download and upload files, and shows its progress."""

from collections.abc import Callable
from typing import Any

from trainsh_base.errors import UsageError
from trainsh_base.system.units import format_size
from trainsh_base.tool.display import number
from trainsh_base.tool.peer import Peer

Tell = Callable[[str], None]
NAME = "there"


class Transfers:
    """Makes the transfers of one browser.

    The first transfer starts train-xfer; later transfers use the same process.
    """

    def __init__(self, spec: str) -> None:
        self._spec = spec
        self._peer: Peer | None = None

    def download(self, path: bytes, destination: str, tell: Tell) -> str:
        """Copy a file or folder of the host into the folder `destination` on this machine.

        `tell` is called with the progress as text. Returns a text that tells what was copied.
        """
        return self._copy(f"@{NAME}:{_text(path)}", destination.rstrip("/") + "/", tell, source_quoted=True)

    def upload(self, source: str, folder: bytes, tell: Tell) -> str:
        """Copy the file or folder `source` of this machine into a folder of the host.

        `tell` is called with the progress as text. Returns a text that tells what was copied.
        """
        return self._copy(source, f"@{NAME}:{_text(folder)}/", tell, destination_quoted=True)

    def _copy(self, source: str, destination: str, tell: Tell, **more: Any) -> str:
        if self._peer is None:
            self._peer = Peer("xfer")
        params = {"source": source, "destination": destination, "hosts": {NAME: self._spec}, **more}
        result = self._peer.request("copy", params, on_event=lambda event: _told(event, tell))
        count = result.get("files", 0)
        return f"copied {count} file{'' if count == 1 else 's'}, {format_size(result.get('bytes', 0))}"

    def close(self) -> None:
        """End train-xfer and the copies that still run."""
        if self._peer is not None:
            self._peer.close()


def _told(event: dict[str, Any], tell: Tell) -> None:
    if event.get("kind") != "progress":
        return
    done, total = number(event.get("done")), number(event.get("total"))
    share = f"{100 * done / total:.0f}% " if total else ""
    tell(f"{share}{format_size(done)}  {event.get('message') or ''}")


def _text(path: bytes) -> str:
    """The path as text. Raises UsageError if the path is not UTF-8, because JSON cannot hold such a path."""
    try:
        return path.decode()
    except UnicodeDecodeError:
        raise UsageError("its name is not UTF-8: rename it first", code="not_utf8") from None
