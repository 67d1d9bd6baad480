"""The documents of train-recipe."""

import msgspec


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base class of the documents that commands return."""


class StepReport(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a job.

    `status` (`state` in JSON): planned, running, ok, failed, timeout, lost, cancelled, skipped, interrupted.
    """

    id: str
    kind: str
    text: str
    line: int
    status: str = msgspec.field(name="state")
    attempt: int = 0
    exit: int | None = None
    reason: str = ""
    seconds: float = 0.0
    bytes: int = 0
    log: str = ""


class SessionReport(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A session that the job opened and did not close."""

    name: str
    host: str


class InstanceReport(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine that the job rented, as the journal knows it. `end` is the command that ends its billing."""

    provider: str
    id: str
    state: str
    hosts: list[str]
    price_per_hour: float | None = None
    storage_per_hour: float | None = None
    currency: str = "USD"
    end: str = ""


class SpendReport(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the job has spent in one currency until now, and what it spends an hour."""

    spent: float
    per_hour: float
    currency: str


class CheckpointReport(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A folder on a host whose checkpoints `xfer.follow` uploads.

    `age`: seconds since the newest one was uploaded.
    """

    state: str
    source: str = ""
    destination: str = ""
    host: str = ""
    newest: str | None = None
    age: float | None = None
    kept: int = 0
    failed: str = ""


class HoldReport(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why machines are kept, and until when (RFC 3339).

    `reason`: "failed", or "required" if the outputs of `steps` have not arrived.
    """

    reason: str
    until: str
    hosts: list[str]
    steps: list[str]


class JobReport(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A job; times are RFC 3339, `done` of `total` steps.

    `status` (`state` in JSON): running, interrupted, ok, failed, cancelled.
    `step` (`last_step` in JSON) is the one that was started last. `output` is what the commands printed, in the
    answer of `exec` to a program.
    """

    id: str
    name: str
    kind: str
    status: str = msgspec.field(name="state")
    started: str
    ended: str
    seconds: float
    done: int
    total: int
    step: str = msgspec.field(name="last_step")
    reason: str
    round: int
    pid: int | None
    recipe: str
    folder: str
    sessions: list[SessionReport] = []
    steps: list[StepReport] = []
    instances: list[InstanceReport] = []
    spend: list[SpendReport] = []
    held: HoldReport | None = None
    checkpoints: list[CheckpointReport] = []
    output: str | None = None


class Executions(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest jobs, which `logs` returns if it is called without a job."""

    jobs: list[JobReport]


class RecipeReport(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipe that has a name."""

    name: str
    path: str
    about: str = msgspec.field(name="summary")


class Removed(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A job or a recipe (`kind`) that was removed; the name of a job is its id."""

    name: str
    kind: str


class StepCost(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one renting step would rent now.

    `most`: what the machine costs in the longest time that the recipe allows.
    """

    step: str
    text: str
    hosts: list[str]
    offers: int
    description: str
    currency: str
    price_per_hour: float | None = None
    storage_per_hour: float = 0.0
    disk: float = 0.0
    longest: float | None = None
    most: float | None = None
    note: str = ""


class RecipeCost(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An estimate before a run.

    `unlimited`: the steps without a limit of their own; if there is one, there is no upper bound.
    """

    machines: list[StepCost]
    unlimited: list[str] = []


class RecipeText(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipe: its text, and the names and numbers from its plan."""

    name: str
    path: str
    text: str
    steps: int
    finally_steps: int
    vars: list[str]
    hosts: dict[str, str]
    storages: dict[str, str]
    graph: str = ""
    cost: RecipeCost | None = None


class LogReport(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one step printed, and how it ended. `text` is for programs; people see the contents of the file.

    `parts` tells where in the file the output of each attempt begins, as [attempt, offset], if there are several.
    `more` tells where to find output of the step that is not in the file.
    """

    step: str
    title: str
    path: str
    text: str = ""
    status: str = msgspec.field(name="state", default="")
    started: str = ""
    seconds: float = 0.0
    exit: int | None = None
    reason: str = ""
    parts: list[tuple[int, int]] = []
    more: str = ""


class Planned(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a resume would do with one step, or a run (`--dry-run`)."""

    id: str
    line: int
    action: str
    text: str
    detail: str = ""
