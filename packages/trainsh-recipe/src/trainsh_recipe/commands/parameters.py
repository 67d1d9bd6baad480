"""The parameters that several commands share, and the object `tool`."""

from typing import Annotated

from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Opt, Tool

tool = Tool("recipe", "Run recipes; watch, resume and stop their jobs")

HostOpt = Annotated[
    dict[str, str],
    Opt("the machine for a host of the recipe", name="--host", metavar="NAME=SPEC", kind="recipe-host"),
]
StorageOpt = Annotated[
    dict[str, str],
    Opt(
        "the storage for a storage name of the recipe", name="--storage", metavar="NAME=SPEC", kind="recipe-storage"
    ),
]
VarOpt = Annotated[
    dict[str, str], Opt("the value of a variable", name="--var", metavar="NAME=VALUE", kind="recipe-var")
]
Visual = Annotated[bool, Opt("show the live view on a terminal, else plain lines")]
ShowOutput = Annotated[bool, Opt("with plain lines: also show what the steps print")]
JobArg = Annotated[
    str | None, Arg("the job's id, or the beginning or end of the id", metavar="JOB", kind="job", also=("id",))
]
MaxTime = Annotated[
    Duration | None, Opt("cancel the job when it has run for this long", metavar="DURATION", kind="duration")
]
MaxCost = Annotated[
    float | None, Opt("cancel the job when it has cost this many dollars", metavar="USD", kind="money")
]
Hold = Annotated[
    Duration | None,
    Opt("keep a machine at most this long for a required output", metavar="DURATION", kind="duration"),
]
Abandon = Annotated[bool, Opt("give up required outputs that have not arrived")]
