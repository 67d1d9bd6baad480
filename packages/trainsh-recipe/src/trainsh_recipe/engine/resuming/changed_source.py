"""Notices, on a resume, that files of this machine have changed since a finished transfer sent them."""

import glob
import os
import shlex
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_base.tool.peer import call
from trainsh_recipe.engine.values import Values
from trainsh_recipe.plan.document import Endpoint, Text, Transfer
from trainsh_recipe.plan.numbering import Numbered, all_of
from trainsh_recipe.store.journal import seconds_of

MOST = 20000  # entries of a source to look at
LONGEST = 0.3  # seconds to look for
CONFIRM_LIMIT = 2.0  # seconds for train-xfer to tell which files the filters of the transfer let through
TICK = 0.002  # seconds by which the start of a step may be rounded
NAMED = 3  # changed files that are named
OF_PROGRAMS = frozenset((".git", "__pycache__"))  # folders that programs change without a change of the work


class ChangedSources:
    """Tells which finished transfers of a job would send something else now."""

    def __init__(self, values: Values, short_id: str) -> None:
        self._values, self._id = values, short_id
        self._found: dict[str, list[str]] = {}

    def changed(self, step: Numbered) -> list[str]:
        """Return the first files that have changed since the step sent them.

        Returns [] if none has, if the step is no transfer that sent files of this machine, or if there are too many
        files to look at.
        """
        if step.id not in self._found:
            try:
                self._found[step.id] = self._look(step)
            except (TrainError, OSError):
                self._found[step.id] = []
        return self._found[step.id]

    def told(self, step: Numbered) -> str:
        """Return a text with the changed files and the commands that send them again, or ""."""
        found = self.changed(step)
        if not found or not isinstance(step.step, Transfer):
            return ""
        names = ", ".join(found[:NAMED]) + (", ..." if len(found) > NAMED else "")
        source = self._values.shown(step.step.source.path)
        lines = [f"step {step.id} has sent {source} before it was changed ({names}), and is not repeated"]
        only = self._only(step.step)
        if only:
            lines.append(f"to send it again and nothing else: {only}")
        lines.append(f"to send it again and run all from there: {self.again(step)}")
        return "\n  ".join(lines)

    def again(self, step: Numbered) -> str:
        """Return the command that repeats the step and all after it."""
        return f"train recipe resume {self._id} --from {step.id}"

    def _look(self, step: Numbered) -> list[str]:
        transfer, state = step.step, self._values.state
        done = state.steps.get(step.id)
        if not isinstance(transfer, Transfer) or not _here(transfer.source) or done is None or done.status != "ok":
            return []
        options = transfer.options
        if self._values.truth(options.move) or self._values.truth(options.dry_run):
            return []
        sources = self._paths(transfer.source)
        excludes = [self._values.plain(each) for each in options.exclude]
        plain = [] if options.include else [each.rstrip("/") for each in excludes if "/" not in each.rstrip("/")]
        skipped = {os.path.abspath(path) for path in [state.file, *self._received()] if path}  # noqa: PTH100
        skipped -= {os.path.abspath(path) for path in sources}  # noqa: PTH100
        walk = _Walk(seconds_of(done.started) + TICK, plain, skipped)
        found = [each for source in sources for each in walk.changed(source)]
        if walk.gave_up:
            return []
        if found and (len(plain) < len(excludes) or options.include or options.exclude_from or options.gitignore):
            return self._confirmed(transfer, found)
        return found

    def _paths(self, end: Endpoint) -> list[str]:
        text = self._values.plain(end.path)
        if end.expand:
            text = os.path.expanduser(text)  # noqa: PTH111
            folder = glob.escape(self._values.state.cwd)
            found = sorted(glob.glob(os.path.join(folder, text)))  # noqa: PTH118, PTH207
            if found:
                return found
        return [os.path.join(self._values.state.cwd, text)]  # noqa: PTH118

    def _received(self) -> list[str]:
        """Return the paths to which the recipe copies files. What is there is changed by the job itself."""
        steps = [each.step for each in all_of(self._values.plan)]
        ends = [step.destination for step in steps if isinstance(step, Transfer) and _here(step.destination)]
        return [path for end in ends for path in self._paths(end)]

    def _confirmed(self, transfer: Transfer, found: list[str]) -> list[str]:
        """Return those of the files that the filters let through. A rehearsed copy to no folder tells them."""
        options, values = transfer.options, self._values
        params: dict[str, Any] = {
            "source": _local(values.plain(transfer.source.path)), "source_quoted": not transfer.source.expand,
            "destination": os.path.join(values.state.cwd, f".no-such-folder-{self._id}", ""),  # noqa: PTH118
            "destination_quoted": True, "cwd": values.state.cwd, "dry_run": True,
            "gitignore": values.truth(options.gitignore), **self._filters(transfer, values.plain),
        }  # fmt: skip
        answer = call("xfer", "copy", params, timeout=CONFIRM_LIMIT)
        sent = {f"/{change['path']}" for change in answer.get("changes", [])}
        return [each for each in found if any(path.endswith(f"/{each}") for path in sent)]

    def _filters(self, transfer: Transfer, text: Any) -> dict[str, list[str]]:
        names = ("exclude", "include", "exclude_from")
        return {name: [text(each) for each in getattr(transfer.options, name)] for name in names}

    def _only(self, transfer: Transfer) -> str:
        """Return the command that sends the files again, or "" if it would hold a secret."""
        values, options = self._values, transfer.options
        end = transfer.destination
        words = ["train", "transfer", _local(values.shown(transfer.source.path))]
        words.append(self._far(end, words_after := []))
        for name, texts in self._filters(transfer, values.shown).items():
            words_after += [word for text in texts for word in (f"--{name.replace('_', '-')}", text)]
        for flag in ("delete", "checksum", "verify", "gitignore"):
            words_after += [f"--{flag}"] if values.truth(getattr(options, flag)) else []
        quoted = {"--source-quoted": transfer.source, "--destination-quoted": end}
        words_after += [flag for flag, each in quoted.items() if not each.expand]
        if values.state.cwd and values.state.cwd != os.getcwd():  # noqa: PTH109
            words_after += ["--cwd", values.state.cwd]
        command = shlex.join([*words, *words_after])
        return "" if "${" in command else command

    def _far(self, end: Endpoint, options: list[str]) -> str:
        path = self._values.shown(end.path)
        if end.host:
            options += ["--host", f"{end.host}={self._spec(end.host, self._values.plan.hosts, self._values.host)}"]
        elif end.storage:
            spec = self._spec(end.storage, self._values.plan.storages, self._values.storage)
            options += ["--storage", f"{end.storage}={spec}"]
        else:
            return _local(path)
        return f"@{end.host or end.storage}:{path}"

    def _spec(self, name: str, places: dict[str, Any], spec: Any) -> str:
        own: Text = places[name].spec if name in places else ""
        return "${secret}" if "${secret:" in self._values.shown(own) else str(spec(name))


class _Walk:
    """Looks for files that changed after a time, in no more than MOST entries and LONGEST seconds."""

    def __init__(self, since: float, excludes: list[str], skipped: set[str]) -> None:
        self._since, self._excludes, self._skipped = since, excludes, skipped
        self._left, self._end = MOST, time.monotonic() + LONGEST
        self.gave_up = False

    def changed(self, source: str) -> list[str]:
        """Return the first files, relative to the source, that are newer."""
        if not os.path.isdir(source):  # noqa: PTH112
            return [os.path.basename(source)] if os.stat(source).st_ctime > self._since else []  # noqa: PTH116, PTH119
        found: list[str] = []
        for path, changed in self._entries(source):
            if changed > self._since:
                found.append(os.path.relpath(path, source))
                if len(found) > NAMED:
                    break
        return found

    def _entries(self, folder: str) -> Iterator[tuple[str, float]]:
        folders = [folder]
        while folders:
            try:
                entries = sorted(os.scandir(folders.pop()), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                self._left -= 1
                if self._left < 0 or time.monotonic() > self._end:
                    self.gave_up = True
                    return
                name, path = entry.name, os.path.abspath(entry.path)  # noqa: PTH100
                if path in self._skipped or any(fnmatchcase(name, each) for each in self._excludes):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders += [] if name in OF_PROGRAMS else [entry.path]
                else:
                    yield entry.path, entry.stat(follow_symlinks=False).st_ctime


def _here(end: Endpoint) -> bool:
    return not end.host and not end.storage


def _local(path: str) -> str:
    """Return a local path as train-xfer reads it: one with a colon or an @ is no host."""
    return f"./{path}" if ":" in path.partition("/")[0] or path.startswith("@") else path
