"""Reads and edits TOML files. People may edit these files too, so comments and order are kept."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trainsh_base.errors import UsageError, unreadable
from trainsh_base.system.files import locked, write_atomic

if TYPE_CHECKING:
    from pathlib import Path


def load(path: "Path | str") -> dict[str, Any]:
    """Return the file as nested dicts, or {} if there is no file.

    Raises UsageError, which names the bad line, when the file does not parse.
    """
    return parse(read(path), path)


def read(path: "Path | str") -> bytes:
    """Return the bytes of the file, or no bytes if there is no file.

    Raises Conflict if the file cannot be read.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - `train exec` does without pathlib
            return file.read()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise unreadable(path, error, folder=os.path.dirname(path)) from None  # noqa: PTH120


def parse(data: bytes, path: "Path | str") -> dict[str, Any]:
    """Parse the TOML in `data`. Raises UsageError, which names `path`, when it is not valid TOML."""
    if not data:
        return {}
    import tomllib  # noqa: PLC0415 - without a file it is not needed

    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _not_toml(path, f"line {line} is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, str(error)) from None


def _not_toml(path: "Path | str", why: str) -> UsageError:
    return UsageError(
        f"{path} is not TOML: {why}", "correct it in an editor; the file was not changed", code="bad_config",
        data={"file": str(path)},
    )  # fmt: skip


def change(
    path: "Path",
    edit: Callable[[Any], None],
    *,
    empty: str = "",
    check: Callable[[dict[str, Any]], None] = lambda _: None,
) -> None:
    """Apply `edit` to the file as a tomlkit document, so that comments, order and unknown keys are kept.

    The change is atomic and made under a lock. `check` is called with the old content. The file is not changed if
    it does not parse, or if `check` raises an error. `empty` is the initial text of a new file.
    """
    with locked(path):
        before = read(path)
        check(parse(before, path))
        import tomlkit

        document = tomlkit.parse(before.decode("utf-8-sig") if before else empty)
        edit(document)
        after = tomlkit.dumps(document).encode()
        parse(after, path)
        if after != before:
            write_atomic(path, after)
