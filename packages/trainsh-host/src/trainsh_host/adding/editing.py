"""Changes a host: single keys, or the whole table in the user's editor."""

import os
import shlex
import subprocess
from pathlib import Path

from trainsh_base.errors import TrainError, UsageError
from trainsh_base.request import Request, nobody
from trainsh_base.system.paths import runtime_home
from trainsh_base.system.proc import missing
from trainsh_base.system.suggest import did_you_mean
from trainsh_host.adding.draft import check_name
from trainsh_host.store import hosts_file
from trainsh_host.store.hosts_file import Raw


def change(name: str, values: Raw, unset: list[str]) -> str:
    """Set the keys in `values` and remove the keys in `unset`. Return the new name of the host."""
    raw = hosts_file.get_raw(name)
    for key in unset:
        if key not in raw or key == "name":
            known = [known for known in raw if known != "name"]
            raise UsageError(f"host {name!r} has no {key!r} to remove", did_you_mean(key, known))
    after = {key: value for key, value in (raw | values).items() if key not in unset}
    hosts_file.as_host(after)
    hosts_file.update(name, values, unset)
    return str(after["name"])


def in_editor(name: str, request: Request) -> str:
    """Open the host's table in $VISUAL or $EDITOR. Return the new name of the host.

    As long as the table is invalid, the editor is opened again.
    """
    before = hosts_file.table_text(name)
    if not request.for_people or not os.isatty(0):
        raise nobody(f"what to change about {name}", "--host, --user, --port, --key ... (train host edit --help)")
    path = Path(runtime_home()) / f"edit-{os.getpid()}.toml"
    path.touch(mode=0o600)
    try:
        path.write_text(before)
        while True:
            _edit(path)
            text = path.read_text()
            if text == before:
                return name
            try:
                if (after := _name_in(text)) not in (name, ""):
                    check_name(after)
                hosts_file.swap(name, before, text)
                return after
            except TrainError as error:
                request.emit("log", message=f"{error.message}\n  {error.hint}".rstrip())
                if request.ask("confirm", "Edit it again?", default="yes") != "yes":
                    raise
    finally:
        path.unlink(missing_ok=True)


def _name_in(text: str) -> str:
    """The name in `text`. It is "" unless `text` is exactly one table, and this table has a name."""
    tables = hosts_file.parse(text, Path("the edited text"))
    return str(tables[0].get("name", "")) if len(tables) == 1 else ""


def _edit(path: Path) -> None:
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        status = subprocess.run([*editor, str(path)], check=False).returncode
    except FileNotFoundError:
        raise missing(editor[0]) from None
    if status != 0:
        raise UsageError(f"{editor[0]} ended with {status}; nothing was changed", code="editor_failed")
