"""The recipe after parsing, before planning: statements with offsets into the text."""

import msgspec

from trainsh_dsl.document.plan import Condition, Ref, Text
from trainsh_dsl.text.word import Word
from trainsh_dsl.vocabulary.tool_schemas import Effects


class Option(msgspec.Struct):
    """`key=value` of a statement: its word, and its value, converted to its type where possible."""

    word: Word
    key: str
    value: object


class Node(msgspec.Struct, kw_only=True):
    """A statement, from offset `start` to before `end`, where its last logical line ends."""

    start: int
    end: int
    options: list[Option] = []
    tail: str = ""  # a `# train: ignore` at the end of the line
    implied: bool = False


class Definition(Node, kw_only=True):
    """`var`, `host` or `storage`: `raw` is the rest of the line, `words` a spec's, `text` the resolved value."""

    sort: str
    name: str
    name_at: int
    raw: str
    text: Text
    value_at: int
    type: str = ""
    words: list[str] = []


class Execute(Node, kw_only=True):
    """`@session > command`; `command` has variables resolved, `raw` is as written, with `&` and here-documents."""

    session: str
    command: Text
    raw: str
    background: bool
    captures: str = ""
    ends: bool = False


class Wait(Node, kw_only=True):
    """`wait`; `condition` is pattern, file, port or idle, and `word` the whole condition as written."""

    session: str
    condition: Condition
    value: int | Text
    word: Word


class Endpoint(msgspec.Struct, kw_only=True):
    """One side of a transfer; `name` is "" for a path on this machine."""

    word: Word
    name: str
    path: Text
    expand: bool


class Transfer(Node, kw_only=True):
    """`source -> destination`"""

    source: Endpoint
    destination: Endpoint


class Open(Node, kw_only=True):
    """`tmux.open @host as session`; a missing name is "", and its error is already reported."""

    host: str
    host_at: int
    session: str


class Close(Node, kw_only=True):
    """`tmux.close @session`"""

    session: str


class Control(Node, kw_only=True):
    """Any other `tool.verb`. In `args` every Ref to an `@name` is a `host` Ref, whatever the name stands for."""

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
    """`sleep DURATION`: seconds, or text with variables."""

    seconds: object
    word: Word


class Parallel(Node, kw_only=True):
    """The steps between `parallel` and `end`; `close_at` is where `end` stands."""

    steps: list[Node]
    close_at: int = 0
    close_tail: str = ""


class Recipe(msgspec.Struct):
    """A parsed recipe; `finally_at` is -1 if it has no `finally`."""

    definitions: list[Definition]
    steps: list[Node]
    closing: list[Node]
    finally_at: int = -1
    finally_tail: str = ""


def every(nodes: list[Node]) -> list[Node]:
    """The nodes, and all nodes in blocks among them, in order."""
    found: list[Node] = []
    waiting = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, Parallel):
            waiting.extend(reversed(node.steps))
    return found
