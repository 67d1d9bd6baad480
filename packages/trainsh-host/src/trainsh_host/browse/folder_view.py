"""Shows a folder of the host with a preview. textual draws it. Threads make the requests to the host."""

import concurrent.futures
import contextlib
import threading
from collections.abc import Callable
from typing import Any

from rich.text import Text  # noqa: TID253 - this module is loaded only for the screen
from textual.app import App, ComposeResult  # noqa: TID253 - as above
from textual.containers import Horizontal, VerticalScroll  # noqa: TID253 - as above
from textual.widgets import Input, Static  # noqa: TID253 - as above

from trainsh_base.errors import TrainError
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_base.system.printable import visible
from trainsh_host.browse.file_list import FileList
from trainsh_host.browse.files import Files
from trainsh_host.browse.preview import preview, shown
from trainsh_host.browse.tree import Node, Tree

KEYS = "enter open  ←→ in place  s sort  / filter  d down  u up  c copy  x delete  ? q"
STYLE = """
Screen { background: ansi_default; color: ansi_default; }
#place { height: 1; text-style: bold; }
Horizontal { height: 1fr; }
#foot { height: 1; color: ansi_bright_black; }
#said { height: 1; }
#filter { height: 1; display: none; background: ansi_default; border: none; padding: 0; }
#filter.on { display: block; }
FileList { width: 3fr; overflow-x: hidden; scrollbar-size-vertical: 1; background: ansi_default; }
#side { width: 2fr; border-left: solid ansi_bright_black; padding-left: 1; scrollbar-size-vertical: 1; }
#preview { text-wrap: nowrap; text-overflow: ellipsis; }
ModalScreen { align: center middle; background: ansi_default 0%; }
.dialog { width: 90%; height: auto; border: round ansi_bright_black; background: ansi_default; padding: 0 1; }
.dialog Input { background: ansi_default; border: none; height: 1; padding: 0; }
"""


class FolderView(App[None]):
    """The tree on the left, a preview of the file under the cursor on the right, messages below."""

    CSS = STYLE
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, name: str, files: Files, place: bytes, request: Request) -> None:
        super().__init__(ansi_color=True)
        self._name, self._files, self._request = name, files, request
        self._tree = Tree(place)
        self._reading = 0
        self._wanted: Node | None = None
        self._wake = threading.Event()

    def compose(self) -> ComposeResult:
        """Make the screen."""
        yield Static(id="place")
        with Horizontal():
            yield FileList()
            with VerticalScroll(id="side", can_focus=False):
                yield Static(id="preview")
        yield Static(id="said")
        yield Input(id="filter", compact=True, placeholder="names with ...")
        yield Static(Text(KEYS), id="foot")

    def on_mount(self) -> None:
        """Read the first folder."""
        self._list.focus()
        self._start(self._preview_on)
        self._start(self._read, self._tree.root)

    @property
    def _list(self) -> FileList:
        return self.query_one(FileList)

    # These are Python's own threads. textual waits for its threads before it ends, so a silent host would block the
    # end of the program.

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        threading.Thread(target=self._in_thread, args=(work, *args), daemon=True).start()

    def _in_thread(self, work: Callable[..., None], *args: Any) -> None:
        serve_in_this_thread(self._request)
        with contextlib.suppress(RuntimeError, concurrent.futures.CancelledError):  # the screen was left
            work(*args)

    # Reading

    def _read(self, node: Node, then: Callable[[], None] | None = None) -> None:
        """Read a folder, and show each batch of files as soon as it arrives."""
        self._reading += 1
        node.children = None
        try:
            for batch in self._files.folder(node.path):
                self.call_from_thread(self._came, node, batch)
                if not self.is_running:
                    break
        except TrainError as error:
            self.call_from_thread(self._say, error.message)
        finally:
            self._reading -= 1
        self.call_from_thread(self._redraw)
        if then:
            self.call_from_thread(then)

    def _came(self, node: Node, batch: list) -> None:  # type: ignore[type-arg]
        first = node.children is None
        node.add(batch)
        if first or len(node.children or []) % 5000 < len(batch):
            self._redraw()

    def _redraw(self, keep: bytes | None = None) -> None:
        rows, files = self._tree.rows(), self._list
        # While files arrive, a cursor on the first row stays on the first row. A cursor on any other row stays on
        # its file.
        files.show(rows, keep or (files.node.path if files.node and files.cursor else None))
        total = len(self._tree.root.children or [])
        order = self._tree.order + (" reversed" if self._tree.reverse else "")
        found = f"  showing {len(rows):,} with {self._tree.filter!r}" if self._tree.filter else ""
        place = shown(self._tree.root.path.decode("utf-8", "surrogateescape"))
        text = f"{self._name}:{place}  {total:,} by {order}{found}{'  reading ...' if self._reading else ''}"
        self.query_one("#place", Static).update(Text(visible(text, keep=""), no_wrap=True, overflow="ellipsis"))
        self._look()

    def on_file_list_moved(self) -> None:
        """Show the file under the cursor."""
        self._look()

    def _look(self) -> None:
        """Request the preview of the file under the cursor.

        If an earlier request still waits, this one replaces it.
        """
        self._wanted = self._list.node
        if self._wanted is None:
            self.query_one("#preview", Static).update("")
        self._wake.set()

    def _preview_on(self) -> None:
        while self.is_running:
            self._wake.wait()
            self._wake.clear()
            node = self._wanted
            if node is not None:
                self.call_from_thread(self._show_preview, node, preview(self._files, node.file, node.path))

    def _show_preview(self, node: Node, lines: list[str]) -> None:
        if self._list.node is node:
            self.query_one("#preview", Static).update(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"))
            self.query_one("#side").scroll_home(animate=False)

    def _say(self, text: str) -> None:
        self.query_one("#said", Static).update(Text(visible(text, keep=""), no_wrap=True, overflow="ellipsis"))
