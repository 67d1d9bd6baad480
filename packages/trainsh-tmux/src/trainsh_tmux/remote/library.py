"""The shell scripts in `sh/`: requests and their greeting, and what sessions are made of.

What sessions are made of is kept on a host in a folder named by the digest of all.
"""

from functools import cache
from zlib import adler32, crc32

from trainsh_base.remote.channel import quote

# The functions that requests call, in one file on a host.
REQUESTS = ("processes.sh", "session.sh", "step.sh", "ending.sh")
SCRIPTS = (
    "hello.sh", "processes.sh", "driver.sh", "driver.bash", "functions.sh", "interactive.bash", "logger.sh",
    "pane.sh", "shell.rc", "tmux.conf", "typed.sh", "watch.sh",
)  # fmt: skip


@cache
def text(name: str) -> str:
    """One script."""
    # Not pathlib, nor hashlib below: a recipe's first step waits for this module, and they cost 8 ms.
    with open(__file__.removesuffix("library.py") + f"sh/{name}", encoding="utf-8") as file:  # noqa: PTH123
        return file.read()


@cache
def requests() -> str:
    """The functions that requests call."""
    return "\n".join(text(name) for name in REQUESTS)


@cache
def files() -> dict[str, str]:
    """What a host keeps, by name."""
    return {name: text(name) for name in SCRIPTS} | {"requests.sh": requests()}


@cache
def digest() -> str:
    """What names this version of them."""
    together = "\0".join(f"{name}\0{content}" for name, content in files().items()).encode()
    return f"{crc32(together):08x}{adler32(together):08x}"


def words(*arguments: object) -> str:
    """The call of a function on a host: its name, then each argument as one shell word."""
    name, *rest = arguments
    return " ".join([str(name), *(quote(str(argument)) for argument in rest)])


def hello(random: str) -> str:
    """The first request of a connection: see hello.sh; `random` becomes the machine's token where it has none."""
    settings = f"train_digest={quote(digest())} train_random={quote(random)}"
    return f"{settings}\n{text('hello.sh')}\ntrain_hello"


def install() -> str:
    """The request that puts the scripts on a host, all or none; says `full` where there is no room for them."""
    calls = [words("install_file", name, len(content.encode()), content) for name, content in files().items()]
    return f"{text('install.sh')}\ninstall_begin &&\n" + " &&\n".join(calls) + " &&\ninstall_end"
