"""The plan that train-dsl prints (docs/language.md, "The plan")."""

from typing import Any, ClassVar, Literal

import msgspec

from trainsh_base.errors import UsageError

VERSION = 1


class Ref(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reference to a variable, a secret, or a name of the recipe. A value replaces it when the step runs."""

    var: str = ""
    otherwise: str = ""
    secret: str = ""
    host: str = ""
    storage: str = ""
    session: str = ""


Parts = list[str | Ref]
Text = str | Parts


class Span(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The position in the recipe; lines and columns count from 1."""

    line: int
    column: int = 1
    end_line: int = 0
    end_column: int = 0


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of all kinds of steps. Durations are in seconds. None means that the option is not given."""

    timeout: float | Parts | None = None
    grace: float | Parts | None = None
    retry: int | Parts | None = None
    retry_delay: float | Parts | None = None
    allow_fail: bool | Parts | None = None
    capture: str = ""
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


NO_OPTIONS = Options()


class Variable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `var`."""

    value: Text
    span: Span | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `host` or a `storage`: its spec, and the type of the spec."""

    spec: Text
    type: str
    implied: bool = False
    provider: str = ""
    span: Span | None = None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One side of a transfer."""

    path: Text
    expand: bool = True
    host: str = ""
    storage: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Base class of the steps. Every step has a canonical text, a position and options."""

    kind: ClassVar[str] = ""
    text: str
    span: Span
    implied: bool = False
    options: Options = NO_OPTIONS


class Execute(Step, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="execute"):
    """`@session > command`"""

    kind: ClassVar[str] = "execute"
    session: str
    command: Text
    background: bool = False
    # whether the command sets shell state: "" if not, "only" if it does nothing else, "also" if it does
    state: Literal["", "only", "also"] = ""


class Wait(Step, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="wait"):
    """`wait @session CONDITION`"""

    kind: ClassVar[str] = "wait"
    session: str
    condition: Literal["pattern", "file", "port", "idle"]
    value: int | Text = ""


class Transfer(Step, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="transfer"):
    """`source -> destination`"""

    kind: ClassVar[str] = "transfer"
    source: Endpoint
    destination: Endpoint


class Control(Step, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="control"):
    """`tool.verb words options`"""

    kind: ClassVar[str] = "control"
    tool: str
    verb: str
    host: str = ""
    session: str = ""
    args: list[Text | Ref] = []
    params: dict[str, Text] = {}
    lists: dict[str, list[Text]] = {}


class Notify(Step, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="notify"):
    """`notify "message"`"""

    kind: ClassVar[str] = "notify"
    message: Text


class Sleep(Step, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="sleep"):
    """`sleep DURATION`"""

    kind: ClassVar[str] = "sleep"
    seconds: float | Parts


class Parallel(Step, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="parallel"):
    """Steps that start together."""

    kind: ClassVar[str] = "parallel"
    steps: list["AnyStep"]


AnyStep = Execute | Wait | Transfer | Control | Notify | Sleep | Parallel


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipe that can be run."""

    version: int
    name: str
    vars: dict[str, Variable] = {}
    hosts: dict[str, Place] = {}
    storages: dict[str, Place] = {}
    steps: list[AnyStep] = []
    finally_: list[AnyStep] = msgspec.field(name="finally", default_factory=list)


def read(document: Any) -> Plan:
    """Read train-dsl's plan. Raises UsageError `newer_plan` if it has another version or an unknown field."""
    version = document.get("version") if isinstance(document, dict) else None
    if version != VERSION:
        raise newer(f"its version is {version}, this train-recipe reads version {VERSION}")
    try:
        return msgspec.convert(document, Plan)
    except msgspec.ValidationError as error:
        raise newer(str(error)) from None


def newer(why: str) -> UsageError:
    """Return the error for a plan that has another version, or a field that this version does not know."""
    return UsageError(
        f"the plan from train-dsl cannot be read: {why}", "install the same version of train-dsl and train-recipe",
        code="newer_plan",
    )  # fmt: skip
