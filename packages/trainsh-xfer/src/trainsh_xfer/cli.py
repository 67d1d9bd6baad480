"""train-xfer: move files between machines and storage."""

from typing import Annotated

from trainsh_base.request import current
from trainsh_base.system.units import Duration, format_duration, format_size
from trainsh_base.tool.declare import Arg, Opt, Tool
from trainsh_base.tool.program import run
from trainsh_xfer.engines.rates import checked_jobs, parse_rate
from trainsh_xfer.model import Change, Following, Options, Order, Result

tool = Tool("xfer", "Move files between machines and storage")


def show_result(result: Result) -> None:
    """Print one line for each change of a dry run, then a summary line."""
    for change in result.changes:
        print(line(change))
    for warning in result.warnings:
        current().emit("log", message=f"warning: {escaped(warning)}")
    print(summary(result))


def line(change: Change) -> str:
    """A change as a line such as `create 12 B path`. The path of a folder ends with a slash."""
    size = format_size(change.size) if change.kind == "file" and change.action != "delete" else ""
    return f"{change.action:<10}  {size:>10}  {escaped(change.path)}"


def escaped(path: str) -> str:
    """The path on one line. Control characters are written as text: `\\n`, `\\x1b`."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in path)


def summary(result: Result) -> str:
    """A result as a line such as `copied 3 files, 1.2 MiB in 0.4s`.

    For a dry run, the line begins with `would copy`.
    """
    files = "1 file" if result.files == 1 else f"{result.files} files"
    size = format_size(result.bytes)
    deleted = f", {'delete' if result.dry_run else 'deleted'} {result.deleted}" if result.deleted else ""
    if result.dry_run and not result.changes:
        return "nothing would change"
    if result.dry_run:
        return f"would copy {files}, {size}{deleted}"
    verified = ", verified" if result.verified else ""
    if not (result.files or result.bytes or result.deleted):
        return f"unchanged{verified} in {format_duration(result.seconds)}"
    return f"copied {files}, {size}{deleted}{verified} in {format_duration(result.seconds)}"


@tool.command(show=show_result)
def copy(
    source: Annotated[
        str, Arg("what to copy; a folder with a slash at the end: its contents", metavar="SRC", kind="endpoint")
    ],
    destination: Annotated[
        str, Arg("where to copy it; missing parent folders are created", metavar="DST", kind="endpoint")
    ],
    *,
    delete: Annotated[bool, Opt("delete files at the destination that the source does not have")] = False,
    exclude: Annotated[list[str], Opt("skip files that match this pattern (repeatable)", metavar="PATTERN")] = [],  # noqa: B006
    include: Annotated[
        list[str], Opt("copy files that match, even if --exclude would skip them", metavar="PATTERN")
    ] = [],  # noqa: B006
    exclude_from: Annotated[list[str], Opt("skip files that match a pattern in this file", metavar="FILE")] = [],  # noqa: B006
    gitignore: Annotated[bool, Opt("skip files that .gitignore files in SRC exclude")] = False,
    jobs: Annotated[
        int | None, Opt("copy at most this many files at the same time", short="-j", metavar="N")
    ] = None,
    dry_run: Annotated[bool, Opt("show what would change, but change nothing", short="-n")] = False,
    checksum: Annotated[bool, Opt("compare checksums, not sizes and times, to find what to copy")] = False,
    verify: Annotated[bool, Opt("after the copy, compare both sides by checksum")] = False,
    bwlimit: Annotated[
        str | int | None, Opt("copy at most this many bytes per second: 500k, 10M", metavar="RATE")
    ] = None,
    move: Annotated[bool, Opt("remove each source file once it is copied")] = False,
    force: Annotated[bool, Opt("allow --delete in a home folder or system folder")] = False,
    as_is: Annotated[
        bool, Opt("for files from a host: keep set-user-id bits, and links that lead out of the tree")
    ] = False,
    hosts: Annotated[
        dict[str, str], Opt("the spec that @NAME stands for", name="--host", metavar="NAME=SPEC")
    ] = {},  # noqa: B006
    storages: Annotated[
        dict[str, str], Opt("the spec that @NAME stands for", name="--storage", metavar="NAME=SPEC")
    ] = {},  # noqa: B006
    cwd: Annotated[
        str | None, Opt("the folder that local paths are relative to", metavar="FOLDER", kind="folder")
    ] = None,
    source_quoted: Annotated[bool, Opt("take SRC literally: do not expand ~ and wildcards")] = False,
    destination_quoted: Annotated[bool, Opt("take DST literally: do not expand ~")] = False,
) -> Result:
    """Copy files from SRC to DST.

    SRC and DST are host:NAME:/path, storage:NAME:/path, @NAME:/path (NAME is a host or a storage), or a local path.
    As with rsync and scp, NAME:/path with a colon before the first slash names a host; ./NAME:/path is a local
    file. An unchanged file is not copied again, and an interrupted transfer continues inside a file.
    """
    from trainsh_xfer.transfer import carry_out  # noqa: PLC0415 - costs 40 ms, and help and schema do not need it

    options = Options(
        delete=delete, exclude=exclude, include=include, dry_run=dry_run, checksum=checksum,
        bwlimit=parse_rate(str(bwlimit or 0)), move=move, force=force, as_is=as_is, jobs=checked_jobs(jobs),
    )  # fmt: skip
    order = Order(
        source=source, destination=destination, options=options, verify=verify, exclude_from=exclude_from,
        gitignore=gitignore, hosts=hosts,
        storages=storages, cwd=cwd, source_quoted=source_quoted, destination_quoted=destination_quoted,
    )  # fmt: skip
    return carry_out(order, current())


Hosts = Annotated[dict[str, str], Opt("the spec that @NAME stands for", name="--host", metavar="NAME=SPEC")]
Storages = Annotated[dict[str, str], Opt("the spec that @NAME stands for", name="--storage", metavar="NAME=SPEC")]
Followed = Annotated[
    str, Arg("the folder on a host; each entry of it is a checkpoint", metavar="SRC", kind="endpoint")
]
Into = Annotated[str, Arg("the folder in a storage", metavar="DST", kind="endpoint")]
Job = Annotated[
    str | None, Opt("the job whose sessions write the checkpoints; recipes set it", name="--job", kind="job")
]


def show_following(answer: Following | list[Following]) -> None:
    """Print a line for each followed folder: its source and destination, its state, and its newest uploaded
    checkpoint.
    """
    rows = answer if isinstance(answer, list) else [answer]
    for row in rows:
        print(escaped(following_line(row)))
    if not rows:
        print("no folder is followed")


def following_line(row: Following) -> str:
    """A followed folder as a line.

    For example: `@gpu:/ckpt/ -> @out:/ckpt/  following  newest uploaded checkpoint step-300, 40s old (3 kept)`.
    """
    newest = "no checkpoint is uploaded yet"
    if row.newest is not None:
        newest = f"newest uploaded checkpoint {row.newest}, {format_duration(row.age or 0)} old ({row.kept} kept)"
    failed = f"; last error: {row.failed}" if row.failed else ""
    return f"{row.source} -> {row.destination}  {row.state}  {newest}{failed}"


@tool.command(show=show_following, ensures=True)
def follow(
    source: Followed,
    destination: Into,
    *,
    keep: Annotated[int, Opt("the number of checkpoints to keep in the storage; 0: all")] = 0,
    every: Annotated[Duration, Opt("the time between two checks of the folder")] = Duration(60),  # noqa: B008
    match: Annotated[str, Opt("copy only entries whose name matches", metavar="PATTERN")] = "*",
    settle: Annotated[
        Duration, Opt("an entry is complete when nothing was written to it for this long")
    ] = Duration(10),  # noqa: B008
    hosts: Hosts = {},  # noqa: B006
    storages: Storages = {},  # noqa: B006
    _job: Job = None,
) -> Following:
    """Copy each new checkpoint of a folder on a host to a storage, from the host itself.

    The copying runs on the host beside the training and does not need this machine. It ends with `unfollow`, or
    when the last session of the job on that host has ended. In the storage, only the newest copies are kept; other
    files there, and files on the host, are never deleted.
    """
    from trainsh_xfer import follow as verbs  # noqa: PLC0415 - costs 40 ms, and help and schema do not need it

    wish = verbs.Wish(keep=keep, every=every, settle=settle, match=match, job=_job or "")
    return verbs.follow(ends(source, destination, hosts, storages), wish, current())


@tool.command(show=show_following, ensures=True)
def unfollow(
    source: Followed,
    destination: Into,
    *,
    hosts: Hosts = {},  # noqa: B006
    storages: Storages = {},  # noqa: B006
    _job: Job = None,
) -> Following:
    """Copy the checkpoints that are new, wait until they are uploaded, and stop following.

    If the folder is not followed, nothing is done. If a checkpoint could not be uploaded, the command fails.
    """
    from trainsh_xfer import follow as verbs  # noqa: PLC0415

    return verbs.unfollow(ends(source, destination, hosts, storages), _job or "", current())


@tool.command(show=show_following)
def status(
    *, job: Annotated[str | None, Opt("only folders that this job follows", kind="job")] = None
) -> list[Following]:
    """Show the followed folders, and the age of each one's newest uploaded checkpoint."""
    from trainsh_xfer import follow as verbs  # noqa: PLC0415

    return verbs.status(job or "", current())


def ends(source: str, destination: str, hosts: dict[str, str], storages: dict[str, str]) -> Order:
    """The order for a copy from `source` to `destination` with default options."""
    return Order(
        source=source, destination=destination, options=Options(), hosts=hosts, storages=storages,
        source_quoted=False, destination_quoted=False,
    )  # fmt: skip


def main() -> None:
    """Run train-xfer."""
    run(tool)
