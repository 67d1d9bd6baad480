"""docs/hosts.md names everything that exists: error codes, keys of hosts.toml, stages."""

import re
from pathlib import Path

import trainsh_base
from trainsh_base.remote import ssh_errors
from trainsh_host.checks.stages import CONNECT, INSIDE
from trainsh_host.model import Host

TEXT = (Path(__file__).parents[3] / "docs" / "hosts.md").read_text()
MODULES = ("ssh_errors", "askpass", "connection", "ssh", "exec_channel", "channel", "line_reader")
BASE = Path(trainsh_base.__file__).parent / "remote"


def test_every_reason_for_no_connection_is_documented() -> None:
    sources = "".join((BASE / f"{name}.py").read_text() for name in MODULES)
    codes = set(re.findall(r'(?:default_)?code ?= ?"([a-z_]+)"', sources)) | {"bad_answer"}
    codes |= {meaning[1] for _, meaning in ssh_errors._MEANINGS if not callable(meaning)} | {"no_connection"}
    # these errors are caught, or are about what a person typed
    codes -= {"channel_refused", "placeholder", "bad_spec", "bad_port"}
    documented = set(re.findall(r"`([a-z_]+)`", TEXT.partition("## Errors")[2].partition("## ")[0]))
    assert codes <= documented
    assert {code for code in documented if code.islower() and "_" in code} - codes == set()


def test_every_key_is_documented() -> None:
    table = TEXT.partition("## The file")[2].partition("\n## ")[0]
    keys = {field.partition(".")[0] for field in re.findall(r"`([a-z_.]+)`", table)}
    assert set(Host.__struct_encode_fields__) <= keys


def test_every_stage_is_documented() -> None:
    table = TEXT.partition("## Testing one")[2].partition("\n## ")[0]
    assert all(stage in table for stage in (*CONNECT, *INSIDE))
