"""Builds rclone's argv, and runs nothing. The references are https://rclone.org/commands/ and /flags/."""

from trainsh_xfer.model import Options

TRANSFERS = 8
CHECKERS = 16
# Large objects are uploaded in parallel parts. S3 takes at most 10,000 parts, so parts of 16 MiB allow objects of
# 156 GiB.
S3 = ("--s3-chunk-size=16M", "--s3-upload-concurrency=8")
# If a service cannot be reached, rclone retries for seconds, not minutes. This is enough, because transferred files
# are kept, and a step of a recipe can set `retry=`.
# If an S3 service does not answer, rclone makes six requests for the first listing and three for a file. Each
# request takes 30 s.
PATIENCE = ("--retries=2", "--retries-sleep=1s", "--low-level-retries=3", "--contimeout=15s", "--timeout=30s")
# The limits for requests that only ask a service what is there.
LOOKING = ("--retries=1", "--low-level-retries=2", "--contimeout=15s", "--timeout=15s")
# Options for listings. The rows have no times and no MIME types. Links on a host's own disk are followed, as in a
# copy.
PLAIN = ("--no-modtime", "--no-mimetype", "--copy-links")
LOG = (
    "--use-json-log", "--log-file=/dev/stdout", "--stats=500ms", "--stats-log-level=NOTICE", "--log-level=NOTICE",
)  # fmt: skip


def copy(
    program: str, options: Options, source: str, destination: str, *, filters: list[str], one_file: bool = False
) -> list[str]:
    """The argv that copies `source` to `destination`. With `one_file`, both of them are files.

    Links are followed, because buckets have no links. Files are deleted only after all other files have been
    copied.
    """
    verb = "move" if options.move else "sync" if options.delete and not one_file else "copy"
    words = [program, f"{verb}to" if one_file else verb, *LOG, *PATIENCE, *S3, *filters]
    words += [f"--transfers={options.jobs or TRANSFERS}", f"--checkers={max(CHECKERS, 2 * options.jobs)}"]
    words.append("--copy-links")
    if verb == "sync":
        words.append("--delete-after")
    if options.dry_run:
        words += ["--dry-run"]
    if options.checksum:
        words.append("--checksum")
    if options.bwlimit:
        words.append(f"--bwlimit={options.bwlimit}k")
    # A slash at the end tells rclone that the path is a folder. Otherwise rclone would first look for an object of
    # this name.
    end = "" if one_file else "/"
    return [*words, "--", source + end, destination + end]


def check(program: str, source: str, destination: str, *, filters: list[str], download: bool = False) -> list[str]:
    """The argv that compares both sides by checksum, or, with `download`, by reading the contents of both sides.

    rclone logs an error for each file that differs, or that is missing at the destination.
    """
    words = [program, "check", *LOG, *PATIENCE, *filters, "--one-way", "--copy-links"]
    return [*words, *(["--download"] if download else []), "--", source, destination]


def stat(program: str, place: str, *, hashes: bool = False, kind: str = "") -> list[str]:
    """The argv that prints the JSON row of a path.

    With `hashes`, the row has the path's checksums too; with `kind`, it has only the checksum of this kind.
    """
    more = ["--hash"] if hashes else []
    more += [f"--hash-type={kind}"] if kind else []
    return [program, "lsjson", "--stat", *PLAIN, *PATIENCE, *LOOKING, *more, "--", place]


def md5_of_contents(program: str, place: str) -> list[str]:
    """The argv that reads a file and prints the MD5 of its contents, then its name."""
    return [program, "hashsum", "md5", "--download", "--copy-links", *PATIENCE, "--", place]


def names(program: str, place: str) -> list[str]:
    """The argv that lists the files below a folder, one path per line. For a file it lists the file's name."""
    return [program, "lsf", "--recursive", "--files-only", "--copy-links", *PATIENCE, "--", place]


def listing(program: str, place: str) -> list[str]:
    """The argv that lists a folder, or one file, as JSON rows with Name and IsDir."""
    return [program, "lsjson", *PLAIN, *PATIENCE, *LOOKING, "--", place]


def unfinished(program: str, place: str) -> list[str]:
    """The argv that lists the unfinished uploads below a path of an S3 service, as JSON with one entry per
    bucket.
    """
    return [program, "backend", "list-multipart-uploads", *PATIENCE, "--", place]


def abort_uploads(program: str, place: str) -> list[str]:
    """The argv that aborts the unfinished uploads whose names begin with the path `place`."""
    return [program, "backend", "cleanup", *PATIENCE, "-o", "max-age=0s", "--", place]
