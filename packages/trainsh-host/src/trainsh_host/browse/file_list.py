"""The list of files. The widget draws only the visible rows, so that 50,000 rows are as fast as 20."""

import time

from rich.segment import Segment  # noqa: TID253 - this module is loaded only for the screen
from rich.style import Style  # noqa: TID253 - as above
from textual import events  # noqa: TID253 - as above
from textual.geometry import Region, Size  # noqa: TID253 - as above
from textual.message import Message  # noqa: TID253 - as above
from textual.scroll_view import ScrollView  # noqa: TID253 - as above
from textual.strip import Strip  # noqa: TID253 - as above

from trainsh_base.system.units import format_size
from trainsh_base.tool.table import cells, cut
from trainsh_host.browse.preview import shown
from trainsh_host.browse.tree import Node

SIZE, DATE = 10, 12
MARKS = {"folder": ("▸ ", "▾ "), "link": ("→ ", "→ "), "other": ("? ", "? "), "file": ("  ", "  ")}


class FileList(ScrollView, can_focus=True):
    """The rows of the list. One of them has the cursor."""

    class Moved(Message):
        """The message that the cursor is on another row."""

    class Opened(Message):
        """The message that a row was chosen: by Enter, or by a click on the row that has the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Node] = []
        self.cursor = 0

    @property
    def node(self) -> Node | None:
        """The row with the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: list[Node], keep: bytes | None = None) -> None:
        """Show `rows`, and move the cursor to the row with the path `keep` if there is such a row."""
        self.rows = rows
        at = next((index for index, node in enumerate(rows) if node.path == keep), None) if keep else None
        self.cursor = at if at is not None else min(self.cursor, max(0, len(rows) - 1))
        self.virtual_size = Size(self.size.width, len(rows))
        self.refresh()
        self._follow()

    def move(self, to: int) -> None:
        """Put the cursor on a row."""
        to = max(0, min(to, len(self.rows) - 1))
        if to != self.cursor:
            self.cursor = to
            self.refresh()
            self._follow()
            self.post_message(self.Moved())

    def _follow(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)

    def on_key(self, event: events.Key) -> None:
        """Move the cursor."""
        page = max(1, self.size.height - 1)
        steps = {"up": -1, "k": -1, "down": 1, "j": 1, "pageup": -page, "pagedown": page}
        if event.key in steps:
            self.move(self.cursor + steps[event.key])
        elif event.key in ("home", "g"):
            self.move(0)
        elif event.key in ("end", "G"):
            self.move(len(self.rows) - 1)
        elif event.key == "enter":
            self.post_message(self.Opened())
        else:
            return
        event.stop()
        event.prevent_default()

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row that was clicked, or open the row if the cursor is there already."""
        row = event.y + self.scroll_offset.y
        if row < len(self.rows):
            if row == self.cursor:
                self.post_message(self.Opened())
            self.move(row)

    def on_resize(self) -> None:
        """Keep the rows as wide as the widget."""
        self.virtual_size = Size(self.size.width, len(self.rows))
        self._follow()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        row, width = y + self.scroll_offset.y, self.size.width
        if row >= len(self.rows):
            return Strip.blank(width)
        style = Style(reverse=row == self.cursor, bold=self.rows[row].file.kind == "folder")
        return Strip([Segment(line_of(self.rows[row], width), style)], width)


def line_of(node: Node, width: int) -> str:
    """A row as text of exactly `width` columns: the name and, if there is room, the size and the date."""
    file = node.file
    tail = ""
    if width >= 44:
        tail = f"{format_size(file.size) if file.kind == 'file' else '':>{SIZE}}"
        tail += f"  {date(file.modified):>{DATE}}"
    elif width >= 26:
        tail = f"{format_size(file.size) if file.kind == 'file' else '':>{SIZE}}"
    room = max(1, width - len(tail) - 1)
    name = cut("  " * node.depth + MARKS[file.kind][node.open] + shown(file.text), room)
    return name + " " * (room - cells(name)) + tail + " "


def date(modified: int) -> str:
    """A date as text: like `Nov 27 15:10` in this year, and like `2024-11-27` in other years."""
    at = time.localtime(modified)
    return time.strftime("%b %d %H:%M" if at.tm_year == time.localtime().tm_year else "%Y-%m-%d", at)
