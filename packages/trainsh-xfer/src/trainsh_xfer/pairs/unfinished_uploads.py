"""Aborts unfinished uploads that an interrupted transfer left in a storage.

They are billed until they are aborted. rclone aborts its own uploads if it fails or gets a signal to end. But an
rclone that is killed cannot do this. Therefore the next run of the same transfer aborts, at its end, the uploads
that are left. On an S3 service these are the uploads that began after the interrupted run began; on B2 they are all
uploads below the destination. Other kinds of storage do not bill unfinished uploads.
"""

from datetime import datetime

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.request import Request
from trainsh_xfer.endpoints.places import InStorage
from trainsh_xfer.engines import rclone
from trainsh_xfer.engines.rclone_program import RcloneProgram

CLOCKS = 120.0  # seconds by which the clocks of this machine and of the service may differ


class _Upload(msgspec.Struct):
    Key: str
    Initiated: datetime


def has_parts(destination: object) -> bool:
    """Whether a transfer to this destination may leave unfinished uploads."""
    return isinstance(destination, InStorage) and destination.storage.backend in ("s3", "b2")


def abort(program: RcloneProgram, destination: InStorage, since: float, request: Request) -> None:
    """Abort the uploads that are left from a run that began at `since` (seconds since 1970).

    If the service refuses this, the refusal is only logged.
    """
    at = destination.storage.at(destination.path)
    try:
        if destination.storage.backend == "b2":
            program.ask(rclone.abort_uploads(program.program, at))
            return
        listed = program.ask(rclone.unfinished(program.program, at)) or b"{}"
        for bucket, uploads in msgspec.json.decode(listed, type=dict[str, list[_Upload]]).items():
            for start in _starts(uploads, since - CLOCKS):
                place = f"{destination.storage.remote}{bucket}/{start}"
                program.ask(rclone.abort_uploads(program.program, place))
    except TrainError as error:
        request.emit("log", message=f"interrupted uploads could not be aborted: {error.message}")


def _starts(uploads: list[_Upload], since: float) -> list[str]:
    """For each upload that began after `since`, the upload's name without its last character.

    The last character is cut off, because rclone would take the full name of an existing object for a file. A
    result is left out if the name of an older upload begins with it.
    """
    older = [upload.Key for upload in uploads if upload.Initiated.timestamp() <= since]
    starts = {upload.Key[:-1] for upload in uploads if upload.Key not in older}
    return sorted(start for start in starts if not any(key.startswith(start) for key in older))
