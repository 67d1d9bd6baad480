"""The plan: the document that tells the runner what the recipe contains (docs/language.md, "The plan")."""

from typing import Literal

import msgspec

PLAN_VERSION = 1


class Ref(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A value that is inserted when the step runs. One of the names is set.

    `host`, `storage`, `session` occur only in `args`. `otherwise` belongs to a `var` that only a tool's answer can
    set. It is the text for the case that no answer has set it.
    """

    var: str = ""
    otherwise: str = ""
    secret: str = ""
    host: str = ""
    storage: str = ""
    session: str = ""


# Plain text, or a list of parts that contains at least one Ref and never two strings in a row.
Text = str | list[str | Ref]
Parts = list[str | Ref]


class Span(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the recipe. Lines and columns count from 1, columns in code points. The end is not part of it."""

    line: int
    column: int
    end_line: int
    end_column: int


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of the plan's structs. A field that has its default value is left out of the document."""


class Options(Document, frozen=True, kw_only=True):
    """Options of any step. Durations are in seconds.

    A value with variables is a list of parts, which is read when the step runs.
    """

    timeout: float | Parts | None = None
    retry: int | Parts | None = None
    retry_delay: float | Parts | None = None
    allow_fail: bool | Parts | None = None


class ExecuteOptions(Options, frozen=True, kw_only=True):
    """Options of an execute.

    `grace` is the time from the first INT to the KILL when the step is ended. `capture` is the variable that gets
    the standard output.
    """

    grace: float | Parts | None = None
    capture: str = ""


class TransferOptions(Options, frozen=True, kw_only=True):
    """Options of a transfer, as in rsync.

    `as_is` keeps set-user-id bits and links of a host; without it they are dropped. `required`: the machine of the
    source is not released before this transfer has arrived, but is kept at most for `hold` seconds.
    """

    delete: bool | Parts | None = None
    exclude: list[Text] = []
    include: list[Text] = []
    exclude_from: list[Text] = []
    gitignore: bool | Parts | None = None
    jobs: int | Parts | None = None
    checksum: bool | Parts | None = None
    verify: bool | Parts | None = None
    bwlimit: Text | None = None
    move: bool | Parts | None = None
    dry_run: bool | Parts | None = None
    as_is: bool | Parts | None = None
    required: bool | Parts | None = None
    hold: float | Parts | None = None


class Variable(Document, frozen=True, kw_only=True):
    """A `var`. Its value may contain variables that are defined above it."""

    value: Text
    span: Span


class Host(Document, frozen=True, kw_only=True):
    """A `host`: its spec as written. The type is "other" if a variable decides it.

    A spec `NAME:REF` has the type "provider". Then `provider` is NAME, the tool that resolves the spec.
    """

    spec: Text
    span: Span
    type: Literal["placeholder", "local", "ssh", "name", "provider", "other"]
    provider: str = ""
    implied: bool = False


class Storage(Document, frozen=True, kw_only=True):
    """A `storage`: its spec as written. The type is "other" if a variable decides it."""

    spec: Text
    span: Span
    type: Literal["placeholder", "r2", "b2", "s3", "gs", "gdrive", "file", "rclone", "name", "other"]
    implied: bool = False


class Endpoint(Document, frozen=True, kw_only=True):
    """One side of a transfer: on a host, in a storage, or, if neither is given, on this machine.

    `expand`: the path was not quoted, so that globs in a source and a leading `~` are expanded.
    """

    path: Text
    expand: bool
    host: str = ""
    storage: str = ""


class Step(Document, frozen=True, kw_only=True, tag_field="kind"):
    """Base of the steps. `text` is the step in canonical form. `implied` is true for a step that `exec` added."""

    text: str
    span: Span
    implied: bool = False


class Execute(Step, frozen=True, kw_only=True, tag="execute"):
    """`@session > command`

    `state` tells whether the command sets the shell's state (directory, variables, options, functions): "only" if
    it does nothing else, "also" if it also does other work.
    """

    session: str
    command: Text
    background: bool
    state: Literal["", "only", "also"] = ""
    options: ExecuteOptions


Condition = Literal["pattern", "file", "port", "idle"]


class Wait(Step, frozen=True, kw_only=True, tag="wait"):
    """`wait @session CONDITION`. `value` is the regex, the path or the port; for idle it is "" or "all"."""

    session: str
    condition: Condition
    value: int | Text
    options: Options


class Transfer(Step, frozen=True, kw_only=True, tag="transfer"):
    """`source -> destination`"""

    source: Endpoint
    destination: Endpoint
    options: TransferOptions


class Control(Step, frozen=True, kw_only=True, tag="control"):
    """`tool.verb words options`. For tmux.open and tmux.close, `host` and `session` have all the words.

    `args` are the words in order, `params` the verb's own options, and `lists` the options that were given more
    than once.
    """

    tool: str
    verb: str
    host: str = ""
    session: str = ""
    args: list[Text | Ref] = []
    params: dict[str, Text] = {}
    lists: dict[str, list[Text]] = {}
    options: Options


class Notify(Step, frozen=True, kw_only=True, tag="notify"):
    """`notify "message"`"""

    message: Text
    options: Options


class Sleep(Step, frozen=True, kw_only=True, tag="sleep"):
    """`sleep DURATION`"""

    seconds: float | Parts
    options: Options


class Parallel(Step, frozen=True, kw_only=True, tag="parallel"):
    """Steps that start together."""

    steps: list["AnyStep"]


AnyStep = Execute | Wait | Transfer | Control | Notify | Sleep | Parallel


class Plan(Document, frozen=True, kw_only=True):
    """A recipe that can be run."""

    version: int
    name: str
    vars: dict[str, Variable]
    hosts: dict[str, Host]
    storages: dict[str, Storage]
    steps: list[AnyStep]
    finally_: list[AnyStep] = msgspec.field(name="finally")
