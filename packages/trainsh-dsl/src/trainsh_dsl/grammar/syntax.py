"""The statements of a recipe after parsing and before planning. They have offsets into the text."""

import msgspec

from trainsh_dsl.document.plan import Condition, Ref, Text
from trainsh_dsl.text.word import Word
from trainsh_dsl.vocabulary.tool_schemas import Effects


class Option(msgspec.Struct):
    """An option `key=value` of a statement: its word and its value.

    If possible, the value already has its type.
    """

    word: Word
    key: str
    value: object


class Node(msgspec.Struct, kw_only=True):
    """A statement. It begins at offset `start`, and its last logical line ends at offset `end`."""

    start: int
    end: int
    options: list[Option] = []
    tail: str = ""  # the comment `# train: ignore` at the end of the line, or ""
    implied: bool = False


class Definition(Node, kw_only=True):
    """A `var`, `host` or `storage` line.

    `raw` is the rest of the line, `words` are the words of the spec, and `text` is the value with variables
    resolved.
    """

    sort: str
    name: str
    name_at: int
    raw: str
    text: Text
    value_at: int
    type: str = ""
    words: list[str] = []


class Execute(Node, kw_only=True):
    """The step `@session > command`.

    `command` has its variables resolved. `raw` is the command as written, with its `&` and its here-documents.
    """

    session: str
    command: Text
    raw: str
    background: bool
    captures: str = ""
    ends: bool = False


class Wait(Node, kw_only=True):
    """A `wait`. `condition` is "pattern", "file", "port" or "idle"; `word` is the whole condition as written."""

    session: str
    condition: Condition
    value: int | Text
    word: Word


class Endpoint(msgspec.Struct, kw_only=True):
    """One side of a transfer: a path and a `name`.

    The `name` is the host or storage, or "" for a path on this machine.
    """

    word: Word
    name: str
    path: Text
    expand: bool


class Transfer(Node, kw_only=True):
    """`source -> destination`"""

    source: Endpoint
    destination: Endpoint


class Open(Node, kw_only=True):
    """The step `tmux.open @host as session`.

    A missing name is "". The parser has reported this error.
    """

    host: str
    host_at: int
    session: str


class Close(Node, kw_only=True):
    """The step `tmux.close @session`."""

    session: str


class Control(Node, kw_only=True):
    """Any other `tool.verb`. In `args`, each `@name` is a `Ref` with `host` set, even if the name is not a host."""

    tool: str
    verb: str
    head: Word
    args: list[tuple[Word, Text | Ref]]
    params: list[Option]
    keys: set[str] = set()
    effects: Effects = Effects()


class Notify(Node, kw_only=True):
    """`notify "message"`"""

    message: Text
    word: Word


class Sleep(Node, kw_only=True):
    """The step `sleep DURATION`. The duration is in seconds, or a text with variables."""

    seconds: object
    word: Word


class Parallel(Node, kw_only=True):
    """The steps between `parallel` and `end`. `close_at` is the offset of the word `end`."""

    steps: list[Node]
    close_at: int = 0
    close_tail: str = ""


class Recipe(msgspec.Struct):
    """A parsed recipe. `finally_at` is the offset of `finally`, or -1 if the recipe has no `finally`."""

    definitions: list[Definition]
    steps: list[Node]
    closing: list[Node]
    finally_at: int = -1
    finally_tail: str = ""


def every(nodes: list[Node]) -> list[Node]:
    """The nodes and all nodes inside their blocks, in the order of the text."""
    found: list[Node] = []
    waiting = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, Parallel):
            waiting.extend(reversed(node.steps))
    return found
