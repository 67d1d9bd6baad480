"""The scripts that sessions are made of: shipped in `remote/`, kept on a host in a folder named by their digest."""

from functools import cache
from hashlib import blake2b
from pathlib import Path

from trainsh_base.channel import quote

SCRIPTS = (
    "driver.sh", "functions.sh", "interrupt.sh", "logger.sh", "pane.sh", "shell.rc", "tmux.conf", "watch.sh", "typed.sh",
)  # fmt: skip


@cache
def texts() -> dict[str, str]:
    """Each script by its name."""
    folder = Path(__file__).parent / "remote"
    return {name: (folder / name).read_text() for name in SCRIPTS}


@cache
def digest() -> str:
    """What names this version of them."""
    together = "\0".join(f"{name}\0{text}" for name, text in texts().items())
    return blake2b(together.encode(), digest_size=6).hexdigest()


def folder() -> str:
    """Where they are on a host, as shell words; `$r` is the root."""
    return f'"$r"/lib/{digest()}'


def install() -> str:
    """The request that puts them there: written aside and renamed, so that they are all there or none is."""
    lines = ['t="$r"/lib/new.$$', 'mkdir -p "$t" || { say full; exit 1; }']
    lines += [f'printf %s {quote(text)} >"$t"/{name} || say full' for name, text in texts().items()]
    lines += [f'[ -e {folder()} ] || mv "$t" {folder()} || say full', '[ ! -d "$t" ] || rm -rf -- "$t"']
    return "(\n" + "\n".join(lines) + "\n)"
