"""Unexpected errors: the traceback goes into a file, a person gets one line that names it."""

import os
import time

from trainsh_base import VERSION
from trainsh_base.errors import Bug
from trainsh_base.system.paths import private_folder, state_home


def as_bug(error: BaseException, program: str) -> Bug:
    """A Bug that says what happened in one line; its traceback is saved under the state folder."""
    import traceback  # noqa: PLC0415 - only a bug needs it

    text = f"{program} {VERSION}\n" + "".join(traceback.format_exception(error))
    said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    try:
        folder = private_folder(state_home() / "reports")
        path = folder / f"{program}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{time.monotonic_ns()}.txt"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        where = str(path)
    except OSError as problem:
        where = f"nowhere ({problem})"
    return Bug(f"{program} met a bug of its own: {said}", f"the report is in {where}", data={"report": where})
