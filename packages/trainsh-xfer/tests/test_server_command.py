"""Which commands a source host may run at the destination: only an rsync server for the requested path."""

import pytest

from trainsh_base.errors import RemoteError
from trainsh_xfer.hosts.server_command import checked

PROGRAM = "mkdir -p -- 'a b' && sh -c 'x' sh"
FLAGS = "--server -ltpre.iLsfxCIvu --log-format=%i --timeout=600 --partial-dir .train-partial"


@pytest.mark.parametrize(
    ("rest", "path"),
    [
        (f"{FLAGS} . ./up/", "./up/"),
        (f"{FLAGS} --delete-delay --bwlimit=10 --safe-links --remove-source-files . ~/a\\ b", "~/a b"),
        (f"{FLAGS} . ./it\\'s\\ \\$x\\ \\[q]", "./it's $x \\[q]"),
        (f"{FLAGS} . './old style'", "'./old style'"),
        (f"{FLAGS} . ./a\\\\b", "./a\\b"),
    ],
)
def test_rsync_servers_pass(rest: str, path: str) -> None:
    assert checked(f"{PROGRAM} {rest}", PROGRAM, path, secluded=False).endswith(rest)


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf ~ # --server",
        f"{PROGRAM} {FLAGS} . ./up/; id",
        f"{PROGRAM} {FLAGS} . ./elsewhere/",
        f"{PROGRAM} {FLAGS} --log-file=.bashrc . ./up/",
        f"{PROGRAM} --server --sender -lte.iLs . ./up/",
        f"{PROGRAM} --server -blte.iLs . ./up/",
        f"{PROGRAM} --server -lte.iLs $(id) . ./up/",
    ],
)
def test_anything_else_does_not(command: str) -> None:
    with pytest.raises(RemoteError, match="unexpected"):
        checked(command, PROGRAM, "./up/", secluded=False)


def test_a_path_that_no_shell_reads() -> None:
    assert checked(f"{PROGRAM} --server -sltpre.iLsfxCIvu", PROGRAM, "a\nb", secluded=True)
    with pytest.raises(RemoteError):
        checked(f"{PROGRAM} --server -s; id", PROGRAM, "a\nb", secluded=True)
