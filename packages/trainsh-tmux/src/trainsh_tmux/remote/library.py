"""The shell scripts in `sh/`: the functions for requests, the first request of a connection, and what sessions run.

The scripts are installed on a host in a folder. The folder's name is the digest of all scripts.
"""

from functools import cache
from zlib import adler32, crc32

from trainsh_base.remote.channel import quote

# The scripts with the functions that requests call. On a host these scripts are joined into one file.
REQUESTS = ("processes.sh", "session.sh", "step.sh", "ending.sh")
SCRIPTS = (
    "hello.sh", "processes.sh", "driver.sh", "driver.bash", "functions.sh", "interactive.bash", "logger.sh",
    "pane.sh", "shell.rc", "snapshot.bash", "tmux.conf", "typed.sh", "watch.sh",
)  # fmt: skip


@cache
def text(name: str) -> str:
    """Return the text of one script."""
    # This module uses neither pathlib nor hashlib, because loading them takes 8 ms, and the first step of a recipe
    # waits for this module.
    with open(__file__.removesuffix("library.py") + f"sh/{name}", encoding="utf-8") as file:  # noqa: PTH123
        return file.read()


@cache
def requests() -> str:
    """Return the functions that requests call."""
    return "\n".join(text(name) for name in REQUESTS)


@cache
def files() -> dict[str, str]:
    """Return the files that are installed on a host: name -> text."""
    return {name: text(name) for name in SCRIPTS} | {"requests.sh": requests()}


@cache
def digest() -> str:
    """Return a digest of the installed files, which identifies this version."""
    together = "\0".join(f"{name}\0{content}" for name, content in files().items()).encode()
    return f"{crc32(together):08x}{adler32(together):08x}"


def words(*arguments: object) -> str:
    """Return the call of a shell function: its name, then each argument quoted as one word."""
    name, *rest = arguments
    return " ".join([str(name), *(quote(str(argument)) for argument in rest)])


def hello(random: str) -> str:
    """Return the first request of a connection, which runs hello.sh.

    If the machine has no token yet, `random` becomes its token.
    """
    settings = f"train_digest={quote(digest())} train_random={quote(random)}"
    return f"{settings}\n{text('hello.sh')}\ntrain_hello"


def install() -> str:
    """Return the request that installs either all scripts or none. The host replies `full` if its disk is full."""
    calls = [words("install_file", name, len(content.encode()), content) for name, content in files().items()]
    return f"{text('install.sh')}\ninstall_begin &&\n" + " &&\n".join(calls) + " &&\ninstall_end"
