"""The live display of `gpus --watch`.

It is a text, which is replaced after each look. The library textual draws it.
"""

import concurrent.futures
import contextlib
import threading
import time
from typing import ClassVar

from rich.text import Text  # noqa: TID253 - this module is loaded only for the screen
from textual.app import App, ComposeResult  # noqa: TID253 - as above
from textual.binding import Binding, BindingType  # noqa: TID253 - as above
from textual.containers import VerticalScroll  # noqa: TID253 - as above
from textual.widgets import Static  # noqa: TID253 - as above

from trainsh_base.system.printable import printable
from trainsh_base.system.units import format_duration
from trainsh_base.tool.table import cells, cut
from trainsh_host.gpus.display import columns_of, process_lines, title
from trainsh_host.gpus.history import History
from trainsh_host.gpus.looking import Watched
from trainsh_host.gpus.model import Gpu, HostGpus

HISTORY = 16  # the width of a GPU's history, in columns
NAME = 20
STYLES = {"ok": "bold", "none": "dim", "failed": "bold red"}


class Screen(App[list[HostGpus]]):
    """The display of the hosts with their GPUs.

    The keys q, Escape and Ctrl-C end it. The arrow keys, the page keys and the mouse wheel scroll.
    """

    CSS = "Screen { background: ansi_default; } #foot { dock: bottom; height: 1; color: ansi_bright_black; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape,ctrl+c", "leave", "end", priority=True),
        Binding("down,j", "scroll(1)", "down"),
        Binding("up,k", "scroll(-1)", "up"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, hosts: list[Watched], every: float) -> None:
        super().__init__(ansi_color=True)
        self._hosts, self._every = hosts, every
        self._rows: dict[str, HostGpus] = {}
        self._history = History()

    def watched(self) -> list[HostGpus]:
        """Run until the person ends the display. Return the rows of the last look."""
        return self.run() or self._seen()

    def _seen(self) -> list[HostGpus]:
        return [self._rows[host.name] for host in self._hosts if host.name in self._rows]

    def compose(self) -> ComposeResult:
        """Make the page and the line below it."""
        with VerticalScroll(can_focus=True):
            yield Static(Text("looking ..."), id="page")
        yield Static(id="foot")

    def on_mount(self) -> None:
        """Start a thread for each host, so that a host that does not answer does not delay the others."""
        for host in self._hosts:
            # These are Python's own threads. textual waits for its threads before it ends, so a silent host would
            # block the end of the program.
            threading.Thread(target=self._look_again, args=(host,), daemon=True).start()

    def _look_again(self, host: Watched) -> None:
        """Look at a host every `self._every` seconds, until the screen is left."""
        with contextlib.suppress(RuntimeError, concurrent.futures.CancelledError):  # the screen was left
            while self.is_running:
                began = time.monotonic()
                row = host.look()
                self.call_from_thread(self._take, row)
                time.sleep(max(0.05, self._every - (time.monotonic() - began)))

    def _take(self, row: HostGpus) -> None:
        self._rows[row.host] = row
        self._history.add([row])
        self._draw()

    def on_resize(self) -> None:
        """Draw for the new width."""
        if self._rows:
            self._draw()

    def _draw(self) -> None:
        width = self.size.width - 2  # the scroll bar takes two columns
        page = Text(no_wrap=True, overflow="ellipsis")
        for host in self._hosts:
            row = self._rows.get(host.name)
            if row is None:
                page.append(cut(printable(f"{host.name}: looking ...", keep=""), width) + "\n", style="dim")
                continue
            page.append(cut(printable(title(row), keep=""), width) + "\n", style=STYLES[row.state])
            for gpu in row.gpus:
                self._card(page, row, gpu, width)
        self.query_one("#page", Static).update(page)
        foot = f"{time.strftime('%H:%M:%S')}   every {format_duration(self._every)}   q: end"
        self.query_one("#foot", Static).update(Text(foot))

    def _card(self, page: Text, row: HostGpus, gpu: Gpu, width: int) -> None:
        """Add a GPU to the page, with its history and its processes."""
        name, use, memory, temperature, power = columns_of(gpu)
        if gpu.index < 0 or gpu.problem:
            page.append(cut(printable(f"  {gpu.problem or name}", keep=""), width) + "\n", style="red")
            return
        name = cut(printable(name.removeprefix("NVIDIA "), keep=""), NAME)
        name += " " * (NAME - cells(name))
        page.append(f"  {gpu.index} {name} ")
        page.append(self._history.drawn(row.host, gpu.uuid, HISTORY), style="green")
        page.append(f" {use:>4}  {memory:>13}  {temperature:>6}  {power:>9}".rstrip() + "\n")
        for line in process_lines(gpu):
            page.append(cut(printable(line, keep=""), width) + "\n", style="dim")

    def action_scroll(self, lines: int) -> None:
        """Move the page."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        """End the display."""
        self.exit(self._seen())
