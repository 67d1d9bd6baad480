"""Builds rsync's argv, and runs nothing. The references are rsync(1) of 2.6.9, 3.1 and 3.2, and openrsync(1)."""

import re

import msgspec

from trainsh_xfer.model import Options

PARTIAL = ".train-partial"
# After this many seconds without data, each side gives up. The limit is needed, because a remote rsync saves its
# partial file only when it ends, and sshd may not notice by itself that its client is gone.
SILENCE = 600
FORMAT = "%i %l %b %n"
COMPRESSION = ("--compress", "--compress-choice=zstd", "--compress-level=3")  # rsync has these from 3.2.0 on

_VERSION = re.compile(r"rsync\s+version\s+v?(\d+)\.(\d+)\.(\d+)")


class Rsync(msgspec.Struct, frozen=True):
    """An rsync program: its path and its version.

    openrsync prints the rsync version with which it is compatible. For openrsync, the version here is that one.
    """

    program: str
    version: tuple[int, int, int]
    open: bool = False

    @property
    def whole_progress(self) -> bool:
        """Whether rsync has `--info=progress2` (from 3.1.0 on), which shows the progress of the whole transfer and
        not of each file.
        """
        return not self.open and self.version >= (3, 1, 0)

    @property
    def escapes(self) -> bool:
        """Whether rsync is 3.2.4 or later.

        From this version on, rsync escapes remote names for the shell, and checks that it gets only names that it
        has requested.
        """
        return not self.open and self.version >= (3, 2, 4)

    @property
    def compresses(self) -> bool:
        """Whether rsync may have zstd, which exists from 3.2.0 on."""
        return not self.open and self.version >= (3, 2, 0)

    @property
    def delays_deletion(self) -> bool:
        """Whether rsync has `--delete-delay` (from 3.0.0 on).

        With it, rsync deletes files after it has transferred all others.
        """
        return not self.open and self.version >= (3, 0, 0)


class Remote(msgspec.Struct, frozen=True):
    """How rsync reaches the other side: the value of `-e`, the host's name, and the value of `--rsync-path`.

    The value of `--rsync-path` is empty if the program is just `rsync`.
    """

    shell: str
    host: str
    program: str = ""


def read_version(program: str, text: str) -> Rsync | None:
    """The Rsync that `text`, the output of `rsync --version`, describes; None if `text` is not such output."""
    found = _VERSION.search(text)
    if not found:
        return None
    version = (int(found[1]), int(found[2]), int(found[3]))
    return Rsync(program, version, open=text.startswith("openrsync"))


def copy(
    rsync: Rsync,
    options: Options,
    sources: list[str],
    destination: str,
    *,
    remote: Remote | None = None,
    secluded: bool = False,
    resume: bool = False,
    foreign: bool = False,
    follow: bool = False,
    names: str = "",
) -> list[str]:
    """The argv that copies `sources` to `destination`. The caller has quoted the paths for this rsync.

    Contents, links, modes and times are kept. Owners are not kept, because they mean nothing on another machine.

    With `resume`, a local copy continues a partial file, for which rsync must first read that file. Over a
    connection, rsync always continues a partial file. `foreign` means that the files come from a host, which may
    not be trusted. `follow` means that the source is a link to a file. `names` is a file on this machine with the
    names to copy. The names are relative to the only source, and each ends with a zero byte.
    """
    foreign = foreign and not options.as_is
    words = [rsync.program, "-rlpt", f"--partial-dir={PARTIAL}", f"--out-format={FORMAT}"]
    words += _reporting(rsync, options, foreign)
    if foreign:
        words += ["--safe-links", *([] if rsync.open else ["--chmod=ug-s"])]
    words += _rules(options)
    if _walks(options) and not rsync.open:
        words.append("--prune-empty-dirs")
    if follow:
        words.append("--copy-links")
    if names:
        words += [f"--files-from={names}", "--from0"]
    if options.delete:
        words.append("--delete-delay" if rsync.delays_deletion else "--delete")
    if options.dry_run:
        words.append("--dry-run")
    if options.checksum:
        words.append("--checksum")
    if options.bwlimit:
        words.append(f"--bwlimit={options.bwlimit}")
    if options.move:
        words.append("--remove-source-files")
    if resume and remote is None:
        words.append("--no-whole-file")
    if remote:
        words += [*(COMPRESSION if options.compress else []), *_reaching(remote, secluded)]
    return [*words, "--", *sources, destination]


def comparison(options: Options) -> Options:
    """The options that compare both sides by checksum and list the files that differ, without changing anything."""
    return Options(
        exclude=options.exclude, include=options.include, rules=options.rules, dry_run=True, checksum=True,
        as_is=options.as_is,
    )  # fmt: skip


def _reporting(rsync: Rsync, options: Options, foreign: bool) -> list[str]:
    """The options for rsync's output. With `foreign`, rsync also lists the links that it leaves out.

    The output is not buffered. So if the process that reads it is gone, rsync notices this and ends.
    """
    if not rsync.whole_progress:
        return [] if options.dry_run else ["--progress"]
    told = [*([] if options.dry_run else ["progress2"]), *(["name1"] if foreign else [])]
    info = [f"--info={','.join(told)}"] if told else []
    return ["--no-human-readable", *info, *([] if options.dry_run else ["--outbuf=N"])]


def _rules(options: Options) -> list[str]:
    """The filter options. The first option that matches a file decides.

    If `*` is excluded, rsync would not look into any folder. In this case a further rule lets rsync search folders
    for included files, and folders that stay empty are left out.
    """
    words = []
    for sign, pattern in options.filters:
        if (sign, pattern) == ("-", "*") and _walks(options):
            words.append("--filter=+ */")
        words.append(f"--filter={sign} {pattern}")
    return words


def _walks(options: Options) -> bool:
    """Whether rsync must enter folders that the rules do not select, to look for included files in them."""
    return ("-", "*") in options.filters and any(sign == "+" for sign, _ in options.filters)


def _reaching(remote: Remote, secluded: bool) -> list[str]:
    words = ["-e", remote.shell, f"--timeout={SILENCE}"]
    if remote.program:
        words.append(f"--rsync-path={remote.program}")
    if secluded:
        words.append("-s")
    return words
