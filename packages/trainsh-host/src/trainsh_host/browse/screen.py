"""The screen of `train host browse`: what each key does."""

import posixpath
from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType  # noqa: TID253 - this module is loaded only for the screen
from textual.widgets import Input  # noqa: TID253 - as above

from trainsh_base.errors import TrainError
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_host.browse.dialogs import Ask, Confirm, Help
from trainsh_host.browse.files import Files, files_of, remove_all
from trainsh_host.browse.folder_view import FolderView
from trainsh_host.browse.listing import start_of
from trainsh_host.browse.preview import pasted, shown
from trainsh_host.browse.transfers import Transfers
from trainsh_host.browse.tree import Node, Tree


class Browser(FolderView):
    """The view of a folder, with the keys that act on it."""

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
        super().__init__(name, files, place, request)
        self.transfers = Transfers(name)

    def on_file_list_opened(self) -> None:
        """Go into the folder of the chosen row. If the row is a link, go into the folder to which it leads."""
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
        """Go to the folder above. The cursor is then on the folder that was left."""
        path = self._tree.root.path
        if path != b"/":
            self._enter(posixpath.dirname(path), lambda: self._redraw(path))

    def action_expand(self) -> None:
        """Show the contents of the folder under the cursor, below its row."""
        node = self._list.node
        if node is not None and node.file.kind == "folder" and not node.open:
            node.open = True
            if node.children is None:
                self._start(self._read, node)
            self._redraw()

    def action_collapse(self) -> None:
        """Close the folder under the cursor.

        If there is no open folder under the cursor, go to the folder that contains the row.
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
                # read the folder again, because a part of its contents may have been deleted
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
        """Upload a file into the folder under the cursor if that is open.

        Otherwise upload it into the folder that contains the row.
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
