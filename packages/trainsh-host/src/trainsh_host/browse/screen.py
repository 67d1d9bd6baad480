"""The screen of `train host browse`, drawn by the library textual. Requests to the host are made in threads."""

import concurrent.futures
import contextlib
import posixpath
import threading
from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text  # noqa: TID253 - this module is loaded only for the screen
from textual.app import App, ComposeResult  # noqa: TID253 - as above
from textual.binding import Binding, BindingType  # noqa: TID253 - as above
from textual.containers import Horizontal, VerticalScroll  # noqa: TID253 - as above
from textual.widgets import Input, Static  # noqa: TID253 - as above

from trainsh_base.errors import TrainError
from trainsh_base.remote.target import Target
from trainsh_base.request import Request, serve_in_this_thread
from trainsh_base.system.printable import visible
from trainsh_host.browse.dialogs import Ask, Confirm, Help
from trainsh_host.browse.file_list import FileList
from trainsh_host.browse.files import Files, files_of, remove_all
from trainsh_host.browse.listing import start_of
from trainsh_host.browse.preview import pasted, preview, shown
from trainsh_host.browse.transfers import Transfers
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


class Browser(App[None]):
    """The tree on the left, a preview of the file under the cursor on the right, messages below."""

    CSS = STYLE
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c", "leave", "end"),
        Binding("right,l", "expand", "open in place"),
        Binding("left,h", "collapse", "close"),
        Binding("backspace", "up", "the folder above"),
        Binding("s", "sort", "sort"),
        Binding("S", "turn", "turn round"),
        Binding("slash", "filter", "filter"),
        Binding("full_stop", "hidden", "dots"),
        Binding("r", "again", "read again"),
        Binding("d", "download", "download"),
        Binding("u", "upload", "upload"),
        Binding("c", "copy", "copy the path"),
        Binding("x,delete", "delete", "delete"),
        Binding("question_mark", "keys", "keys"),
        Binding("escape", "unfilter", "show all"),
    ]

    def __init__(self, name: str, files: Files, place: bytes, request: Request) -> None:
        super().__init__(ansi_color=True)
        self._name, self._files, self._request = name, files, request
        self._tree = Tree(place)
        self.transfers = Transfers(name)
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

    # These are threads of Python, because textual waits for its own threads before it ends, and then a silent host
    # would block the end of the program.

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
        # While files arrive, a cursor on the first row stays on the first row. A cursor on another row stays on its
        # file.
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

        This request replaces an earlier one that still waits.
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

    # Keys

    def on_file_list_opened(self) -> None:
        """Go into the folder of the row that was chosen, or into the folder that its link leads to."""
        node = self._list.node
        if node is None:
            return
        if node.file.kind == "folder":
            self._enter(node.path)
        elif node.file.kind == "link":
            self._start(self._follow, node)

    def _follow(self, node: Node) -> None:
        try:
            if self._files.stat(node.path).kind == "folder":
                self.call_from_thread(self._enter, self._files.real_path(node.path))
        except TrainError as error:
            self.call_from_thread(self._say, error.message)

    def _enter(self, path: bytes, then: Callable[[], None] | None = None) -> None:
        old, self._tree = self._tree, Tree(path)
        self._tree.order, self._tree.reverse, self._tree.hidden = old.order, old.reverse, old.hidden
        self._list.cursor = 0
        self._say("")
        self._redraw()
        self._start(self._read, self._tree.root, then)

    def action_up(self) -> None:
        """Go to the folder above, with the cursor on the folder that was left."""
        path = self._tree.root.path
        if path != b"/":
            self._enter(posixpath.dirname(path), lambda: self._redraw(path))

    def action_expand(self) -> None:
        """Show what is in the folder under the cursor, below its row."""
        node = self._list.node
        if node is not None and node.file.kind == "folder" and not node.open:
            node.open = True
            if node.children is None:
                self._start(self._read, node)
            self._redraw()

    def action_collapse(self) -> None:
        """Close the folder under the cursor.

        If it is not an open folder, go to the folder that contains the row.
        """
        node = self._list.node
        if node is None:
            return
        if node.open:
            node.open = False
            self._redraw()
        elif node.parent is not None and node.parent.parent is not None:
            self._redraw(node.parent.path)
        else:
            self.action_up()

    def action_sort(self) -> None:
        """Sort the rows by the next of these three: name, size, date."""
        self._tree.next_order()
        self._redraw()

    def action_turn(self) -> None:
        """Reverse the order of the rows."""
        self._tree.reverse = not self._tree.reverse
        self._redraw()

    def action_hidden(self) -> None:
        """Show or hide names that begin with a dot."""
        self._tree.hidden = not self._tree.hidden
        self._redraw()

    def action_again(self) -> None:
        """Read the folder again."""
        self._enter(self._tree.root.path)

    def action_filter(self) -> None:
        """Ask for the text that names must contain."""
        line = self.query_one("#filter", Input)
        line.add_class("on")
        self.call_after_refresh(line.focus)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Apply the filter while the person types it."""
        if event.input.id == "filter":
            self._tree.filter = event.value
            self._redraw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter, and go back to the list."""
        if event.input.id == "filter":
            event.input.remove_class("on")
            self._list.focus()

    def action_unfilter(self) -> None:
        """Remove the filter, so that everything is shown again."""
        line = self.query_one("#filter", Input)
        line.value = ""
        line.remove_class("on")
        self._list.focus()

    def action_keys(self) -> None:
        """Show all keys."""
        self.push_screen(Help())

    def action_copy(self) -> None:
        """Put the path into the terminal's clipboard (OSC 52), quoted for a shell."""
        if self._list.node is not None:
            text = pasted(self._list.node.path)
            self.copy_to_clipboard(text)
            self._say(f"copied: {text}")

    def action_delete(self) -> None:
        """Delete the file under the cursor, after a question."""
        node = self._list.node
        if node is None:
            return
        what = f"the folder {shown(node.file.text)} with everything in it" if node.file.kind == "folder" else shown(
            node.file.text
        )  # fmt: skip

        def answered(yes: bool | None) -> None:
            if yes:
                self._start(self._delete, node)

        self.push_screen(Confirm(f"Delete {what} on {self._name}?"), answered)

    def _delete(self, node: Node) -> None:
        try:
            count = remove_all(self._files, node.path, node.file.kind)
        except TrainError as error:
            self.call_from_thread(self._say, error.message)
            if node.parent is not None:
                # reads the folder again, because a part of the file's contents may be deleted already
                self._start(self._read, node.parent)
            return
        said = f"deleted {shown(node.file.text)}" + (f" ({count} files and folders)" if count > 1 else "")
        self.call_from_thread(self._gone, node, said)

    def _gone(self, node: Node, said: str) -> None:
        if node.parent is not None and node.parent.children is not None:
            node.parent.children.remove(node)
        self._say(said)
        self._redraw()

    def action_download(self) -> None:
        """Download the file under the cursor."""
        node = self._list.node
        if node is None:
            return

        def answered(folder: str | None) -> None:
            if folder:
                self._start(self._transfer, lambda tell: self.transfers.download(node.path, folder, tell), None)

        self.push_screen(Ask(f"Download {shown(node.file.text)} into the folder:", "./"), answered)

    def action_upload(self) -> None:
        """Upload a file into the folder under the cursor if it is open, else into the folder that contains
        the row.
        """
        node = self._list.node
        into = node.parent if node is not None and node.parent is not None else self._tree.root
        if node is not None and node.open:
            into = node

        def answered(source: str | None) -> None:
            if source:
                self._start(self._transfer, lambda tell: self.transfers.upload(source, into.path, tell), into)

        place = shown(into.path.decode("utf-8", "surrogateescape"))
        self.push_screen(Ask(f"Upload into {place} this file or folder:", ""), answered)

    def _transfer(self, copy: Callable[[Callable[[str], None]], str], changed: Node | None) -> None:
        """Run `copy`, and show its progress."""

        def tell(text: str) -> None:
            self.call_from_thread(self._say, text)

        tell("copying ...")
        try:
            tell(copy(tell))
        except TrainError as error:
            tell(f"{error.message}; {error.hint}" if error.hint else error.message)
        if changed is not None:
            self._start(self._read, changed)

    def action_leave(self) -> None:
        """End the screen."""
        self.exit()


def browse(name: str, target: Target, path: str, request: Request) -> None:
    """Show the files of a machine until the person leaves."""
    with files_of(target, request) as files:
        place = files.real_path(start_of(path))
        if files.stat(place).kind != "folder":
            place = posixpath.dirname(place)
        browser = Browser(name, files, place, request)
        try:
            browser.run()
        finally:
            browser.transfers.close()
