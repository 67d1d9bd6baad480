"""The scripts that sessions are made of: shipped beside this file, kept on a host in a folder named by digest."""

from functools import cache
from zlib import adler32, crc32

from trainsh_base.remote.channel import quote

SCRIPTS = (
    "driver.sh", "functions.sh", "holds.sh", "interrupt.sh", "logger.sh", "pane.sh", "shell.rc", "tmux.conf",
    "typed.sh", "watch.sh",
)  # fmt: skip


@cache
def texts() -> dict[str, str]:
    """Each script by its name."""
    found = {}
    for name in SCRIPTS:
        # Not pathlib, nor hashlib below: a recipe's first step waits for this module, and they cost 8 ms.
        with open(__file__.removesuffix("library.py") + name, encoding="utf-8") as file:  # noqa: PTH123
            found[name] = file.read()
    return found


@cache
def digest() -> str:
    """What names this version of them."""
    together = "\0".join(f"{name}\0{text}" for name, text in texts().items()).encode()
    return f"{crc32(together):08x}{adler32(together):08x}"


def folder() -> str:
    """Where they are on a host, as shell words; `$r` is the root."""
    return f'"$r"/lib/{digest()}'


def install() -> str:
    """The request that puts them there: written aside and renamed, so that they are all there or none is."""
    lines = ['t="$r"/lib/new.$$', 'mkdir -p "$t" || { say full; exit 1; }']
    lines += [f'printf %s {quote(text)} >"$t"/{name} || say full' for name, text in texts().items()]
    lines += [f'[ -e {folder()} ] || mv "$t" {folder()} || say full', '[ ! -d "$t" ] || rm -rf -- "$t"']
    return "(\n" + "\n".join(lines) + "\n)"
