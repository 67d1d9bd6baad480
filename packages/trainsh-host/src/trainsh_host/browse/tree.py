"""The files that the screen shows, as rows. A row has a depth. The rows are sorted and filtered."""

from collections.abc import Iterator
from typing import Literal

from trainsh_host.browse.files import joined
from trainsh_host.browse.model import File

Order = Literal["name", "size", "date"]
ORDERS: tuple[Order, ...] = ("name", "size", "date")


class Node:
    """A file in the tree.

    `children` is None until the folder was read. `open` is true if the children are shown.
    """

    __slots__ = ("children", "depth", "file", "open", "parent", "path")

    def __init__(self, file: File, path: bytes, depth: int, parent: "Node | None") -> None:
        self.file, self.path, self.depth, self.parent = file, path, depth, parent
        self.children: list[Node] | None = None
        self.open = False

    def add(self, files: list[File]) -> None:
        """Add files to this folder."""
        known = self.children or []
        self.children = known + [Node(file, joined(self.path, file.name), self.depth + 1, self) for file in files]


class Tree:
    """The tree below one folder."""

    def __init__(self, path: bytes) -> None:
        self.root = Node(File(path), path, -1, None)
        self.root.open = True
        self.order: Order = "name"
        self.reverse = False
        self.filter = ""
        self.hidden = True

    def rows(self) -> list[Node]:
        """The files that are shown, in order."""
        return list(self._below(self.root))

    def _below(self, node: Node) -> Iterator[Node]:
        for child in self._sorted(node.children or []):
            if self._shown(child):
                yield child
                if child.open:
                    yield from self._below(child)

    def _shown(self, node: Node) -> bool:
        if not self.hidden and node.file.name.startswith(b"."):
            return False
        if not self.filter:
            return True
        return self.filter.lower() in node.file.text.lower() or any(map(self._shown, node.children or []))

    def _sorted(self, nodes: list[Node]) -> list[Node]:
        """The nodes in the chosen order.

        Folders come first. In the order by size, the largest file is first; by date, the newest. The order may be
        reversed.
        """
        if self.order == "name":
            found = sorted(nodes, key=lambda node: node.file.name.lower(), reverse=self.reverse)
        elif self.order == "size":
            found = sorted(nodes, key=lambda node: node.file.size, reverse=not self.reverse)
        else:
            found = sorted(nodes, key=lambda node: node.file.modified, reverse=not self.reverse)
        return sorted(found, key=lambda node: node.file.kind != "folder")

    def next_order(self) -> None:
        """Sort the rows by the next of these three: name, size, date."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self.reverse = False
