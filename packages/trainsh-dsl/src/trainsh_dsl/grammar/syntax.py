"""The recipe as read, before it is a plan: statements with offsets into the text."""

import msgspec

from trainsh_dsl.document.plan import Condition, Ref, Text
from trainsh_dsl.text.word import Word
from trainsh_dsl.vocabulary.tool_schemas import Effects


class Option(msgspec.Struct):
    """`key=value` of a statement: its word, and the value, typed where it can be."""

    word: Word
    key: str
    value: object


class Node(msgspec.Struct, kw_only=True):
    """A statement: it begins at `start`, its last logical line ends before `end`."""

    start: int
    end: int
    options: list[Option] = []
    tail: str = ""  # a `# train: ignore` at the end of the line
    implied: bool = False


class Definition(Node, kw_only=True):
    """`var`, `host`, `storage`: `raw` is the rest of the line, `words` a spec's, `text` has variables found."""

    sort: str
    name: str
    name_at: int
    raw: str
    text: Text
    value_at: int
    type: str = ""
    words: list[str] = []


class Execute(Node, kw_only=True):
    """`command` has its variables found; `raw` is as written, with `&` and here-documents."""

    session: str
    command: Text
    raw: str
    background: bool
    captures: str = ""
    ends: bool = False


class Wait(Node, kw_only=True):
    """`condition` is pattern, file, port or idle; `word` is the whole condition as written."""

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
    """From `source` to `destination`."""

    source: Endpoint
    destination: Endpoint


class Open(Node, kw_only=True):
    """`tmux.open @host as session`; either name may be "" when it is missing, which was reported."""

    host: str
    host_at: int
    session: str


class Close(Node, kw_only=True):
    """`tmux.close @session`"""

    session: str


class Control(Node, kw_only=True):
    """Any other `tool.verb`: `args` are its words, a Ref to a name still says `host`, whatever it is."""

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
    """`sleep DURATION`: seconds, or parts."""

    seconds: object
    word: Word


class Parallel(Node, kw_only=True):
    """The steps between `parallel` and `end`; `close_at` is where `end` stands."""

    steps: list[Node]
    close_at: int = 0
    close_tail: str = ""


class Recipe(msgspec.Struct):
    """A whole recipe as read; `finally_at` is -1 when it has no such part."""

    definitions: list[Definition]
    steps: list[Node]
    closing: list[Node]
    finally_at: int = -1
    finally_tail: str = ""


def every(nodes: list[Node]) -> list[Node]:
    """The nodes and all that blocks among them hold, in order."""
    found: list[Node] = []
    waiting = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, Parallel):
            waiting.extend(reversed(node.steps))
    return found
