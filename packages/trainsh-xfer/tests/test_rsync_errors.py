"""rsync's exit statuses and messages, translated to typed errors."""

import pytest

from trainsh_base.errors import (
    CredentialError,
    MissingProgram,
    NotFound,
    RemoteError,
    TimedOut,
    TrainError,
    Unreachable,
)
from trainsh_xfer.engines.rsync_errors import error_for, said

CLOSED = "rsync: connection unexpectedly closed (0 bytes received so far) [Receiver]\n"
ERROR = "rsync error: error in rsync protocol data stream (code 12) at io.c(231) [Receiver=3.2.7]\n"

TABLE: list[tuple[str, int, str, str, type[TrainError], str]] = [
    (
        "absent", 23, 'rsync: [sender] link_stat "/data/caf\\#303\\#251" failed: No such file or directory (2)\n',
        "gpu", NotFound, "gpu: no such file or folder: /data/café",
    ),
    (
        "absent folder", 23, 'rsync: [sender] change_dir "/data" failed: No such file or directory (2)\n', "",
        NotFound, "no such file or folder: /data",
    ),
    (
        "not allowed", 23, 'rsync: [sender] opendir "/x" failed: Permission denied (13)\nand more\n' + ERROR, "gpu",
        TrainError, 'gpu: these were not copied; the others were:\n[sender] opendir "/x" failed: Permission denied (13)',
    ),
    ("no rsync, bash", 12, "bash: line 1: rsync: command not found\n" + CLOSED, "gpu", MissingProgram, "gpu"),
    ("no rsync, zsh", 127, "zsh:1: command not found: rsync\n" + CLOSED, "gpu", MissingProgram, "gpu"),
    ("no rsync, dash", 127, "sh: 1: rsync: not found\n" + CLOSED, "gpu", MissingProgram, "gpu"),
    ("no rsync, fish", 127, "fish: Unknown command: rsync\n" + CLOSED, "gpu", MissingProgram, "gpu"),
    ("no match, zsh", 12, "zsh:1: no matches found: ./*.x\n" + CLOSED, "gpu", NotFound, "nothing matches ./*.x"),
    (
        "no match, fish", 12, "fish: No matches for wildcard './*.x'. See `help`.\n" + CLOSED,
        "gpu", NotFound, "nothing matches ./*.x",
    ),
    (
        "full", 11, 'rsync: [receiver] write failed on "/x/big": No space left on device (28)\n' + ERROR, "gpu",
        TrainError, "No space left",
    ),
    ("cut", 12, CLOSED + ERROR, "gpu", Unreachable, "gpu: the connection was lost"),
    ("ssh says why", 255, "ssh: connect to host x: Connection refused\n" + CLOSED, "gpu", Unreachable, "refused"),
    ("pipe broken", 12, "rsync: [sender] write error: Broken pipe (32)\n" + CLOSED, "gpu", Unreachable, "Broken"),
    (
        "no folder there", 12, "mkdir: cannot create directory '/x': Permission denied\n" + CLOSED + ERROR,
        "gpu", RemoteError, "gpu: mkdir: cannot create directory '/x': Permission denied",
    ),
    (
        "denied", 255, "root@10.0.0.1: Permission denied (publickey).\n" + CLOSED,
        "gpu", CredentialError, "gpu: root@10.0.0.1: Permission denied (publickey).",
    ),
    ("timed out", 30, "rsync error: timeout in data send/receive (code 30) at io.c(1)\n", "gpu", TimedOut, "gpu"),
    ("login prints", 2, "protocol version mismatch -- is your shell clean?\n", "gpu", RemoteError, "shell clean"),
    ("usage", 1, "rsync: --nonsense: unknown option\n", "", TrainError, "--nonsense: unknown option"),
    ("silent", 13, "", "", TrainError, "rsync ended with status 13"),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_errors(row: tuple[str, int, str, str, type[TrainError], str]) -> None:
    _, status, stderr, host, kind, text = row
    error = error_for(status, stderr, host)
    assert type(error) is kind
    assert text in error.message
    assert error.data["status"] == status


def test_noise_is_left_out() -> None:
    assert said("\n" + CLOSED + "what happened\n" + ERROR) == ["what happened"]
