"""What to run: rclone's argument lists. Pure; https://rclone.org/commands/ and /flags/ are the reference."""

from trainsh_xfer.model import Options

TRANSFERS = 8
CHECKERS = 16
# Large objects go in parts side by side; 16 MiB parts allow objects of 156 GiB (S3 takes 10,000 parts).
S3 = ("--s3-chunk-size=16M", "--s3-upload-concurrency=8")
# A service that is away is tried for seconds, not for minutes: what has arrived stays, and a step has `retry=`.
PATIENCE = ("--retries=2", "--retries-sleep=1s", "--low-level-retries=3", "--contimeout=15s", "--timeout=60s")
LOG = (
    "--use-json-log", "--log-file=/dev/stdout", "--stats=500ms", "--stats-log-level=NOTICE", "--log-level=NOTICE",
)  # fmt: skip


def copy(
    program: str, options: Options, source: str, destination: str, *, filters: list[str], one_file: bool = False
) -> list[str]:
    """The words that make `destination` hold what `source` does (`one_file`: both name a file).

    Links are followed, since buckets have none. Nothing is deleted before everything has arrived.
    """
    verb = "move" if options.move else "sync" if options.delete and not one_file else "copy"
    words = [program, f"{verb}to" if one_file else verb, *LOG, *PATIENCE, *S3, *filters]
    words += [f"--transfers={TRANSFERS}", f"--checkers={CHECKERS}", "--copy-links"]
    if verb == "sync":
        words.append("--delete-after")
    if options.dry_run:
        words += ["--dry-run"]
    if options.checksum:
        words.append("--checksum")
    if options.bwlimit:
        words.append(f"--bwlimit={options.bwlimit}k")
    # A slash at the end says folder: rclone looks for no object of that name, whose absence it could misread.
    end = "" if one_file else "/"
    return [*words, "--", source + end, destination + end]


def check(program: str, source: str, destination: str, *, filters: list[str]) -> list[str]:
    """The words that compare both by checksum; what differs or is missing is in the log as errors."""
    return [program, "check", *LOG, *PATIENCE, *filters, "--one-way", "--copy-links", "--", source, destination]


def stat(program: str, place: str, *, hashes: bool = False) -> list[str]:
    """The words that say what is at a path, as one JSON row; with its checksums where asked."""
    more = ["--hash"] if hashes else []
    return [program, "lsjson", "--stat", "--no-modtime", "--no-mimetype", *PATIENCE, *more, "--", place]


def names(program: str, place: str) -> list[str]:
    """The words that list the files below a folder, a path a line (of a file: its name)."""
    return [program, "lsf", "--recursive", "--files-only", *PATIENCE, "--", place]


def listing(program: str, place: str) -> list[str]:
    """The words that list a folder, or one file, as JSON rows with Name and IsDir."""
    return [program, "lsjson", "--no-modtime", "--no-mimetype", *PATIENCE, "--", place]
