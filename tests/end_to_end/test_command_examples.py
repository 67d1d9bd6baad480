"""Every example of `train COMMAND --help` runs as printed, for a person with a host, a storage, a recipe and an
account.

The account and the machines belong to the sandbox. In the examples, the id of an instance is 123.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
FILES = {path.name: path for path in ROOT.glob("packages/*/share/trainsh/examples/*")}
# A later example in a file uses what an earlier one has made. The files are taken in alphabetical order.
ENDS = {
    "doctor": (0, 1),
    "unknown": (127,),
    "bill": (0, 1),
    "cancel": (3,),
    "abandon": (3,),
    "resume": (3,),
    "gpus": (0, 7),
}
TERMINAL = {"attach", "watch"}  # commands of recipe and session that need a terminal, or a job that runs
RECIPE = """\
var MODEL = tiny
host gpu  = local
tmux.open @gpu as work
@work > echo $MODEL
tmux.close @work
"""
pytestmark = pytest.mark.faults


def run(words: list[str], env: dict[str, str], folder: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, env=env, cwd=folder, capture_output=True, text=True, check=False, timeout=120, input=given
    )


@pytest.fixture
def person(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment with everything that the examples name."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRAINSH_", "XDG_", "VAST_"))}
    env = kept | {"HOME": str(tmp_path), "PATH": f"{BIN}:{os.environ['PATH']}", "NO_COLOR": "1"}
    env |= {"TRAINSH_SANDBOX": str(tmp_path / "box"), "TRAINSH_PASSPHRASE": "open sesame", "EDITOR": "true"}
    # The path of a socket has at most 107 bytes. With several workers, tmp_path and the name of a job are longer.
    sockets = tempfile.mkdtemp(prefix="ex-", dir="/tmp")
    env |= {"TMUX_TMPDIR": sockets, "TRAINSH_SECRETS_AGENT_TIME": "off"}
    assert run(["train", "sandbox", "up"], env, tmp_path).returncode == 0
    try:
        env |= json.loads(run(["train", "sandbox", "env", "--json"], env, tmp_path).stdout)["env"]
        settings = Path(env["TRAINSH_HOME"])
        hosts = (settings / "hosts.toml").read_text()
        (settings / "hosts.toml").write_text(hosts.replace('"myserver"', '"gpu"'))
        (tmp_path / "store").mkdir()
        (settings / "storages.toml").write_text(
            f'[[storages]]\nname = "out"\ntype = "local"\n[storages.config]\npath = "{tmp_path}/store"\n'
        )
        (settings / "recipes").mkdir(exist_ok=True)
        for folder in (settings / "recipes", tmp_path):
            (folder / "my-train.recipe").write_text(RECIPE)
        (tmp_path / "data").mkdir()
        (tmp_path / "data/a.txt").write_text("a")
        (tmp_path / ".env").write_text("HF_TOKEN=hf_abc\n")
        (tmp_path / ".ssh").mkdir(exist_ok=True)
        (tmp_path / ".ssh/config").write_text("Host far\n  HostName 192.0.2.9\n")
        (tmp_path / ".ssh/id_ed25519.pub").write_text(f"ssh-ed25519 {'A' * 68} me\n")
        yield env
    finally:
        run(["train", "tmux", "kill"], env, tmp_path)
        run(["train", "sandbox", "down"], env, tmp_path)
        shutil.rmtree(sockets, ignore_errors=True)


@pytest.mark.parametrize("tool", sorted(FILES))
def test_every_example_runs(tool: str, person: dict[str, str], tmp_path: Path) -> None:
    rows = json.loads(run(["train", "vast", "list", "--json"], person, tmp_path).stdout)
    if tool == "vast":
        run(["train", "vast", "start", str(rows[0]["id"])], person, tmp_path)
        run(["train", "vast", "wait", str(rows[0]["id"])], person, tmp_path)
    if tool == "host":
        run(["train", "host", "run", "gpu", "--", "mkdir", "runs"], person, tmp_path)
    if tool == "xfer":  # the host itself copies the followed folder, so the storage must be a bucket
        run(["train", "host", "run", "gpu", "--", "mkdir", "/tmp/ckpt"], person, tmp_path)
        storages = Path(person["TRAINSH_HOME"]) / "storages.toml"
        storages.write_text('[[storages]]\nname = "out"\ntype = "r2"\n[storages.config]\nbucket = "my-bucket"\n')
    if tool == "secrets":
        run(["train", "secrets", "set", "HF_TOKEN"], person, tmp_path, "hf_abc")
    wrong = []
    for row in FILES[tool].read_text().splitlines():
        command, example, about = row.split("\t")
        assert about, row
        if command in TERMINAL or (tool, command) in INTERACTIVE | RUNTIMES:
            continue
        line = re.sub(r"\b123\b", str(rows[0]["id"]), example)
        done = run(["bash", "-o", "pipefail", "-c", line], person, tmp_path)
        if done.returncode not in ENDS.get(command, (0,)) or "Traceback" in done.stderr:
            wrong.append(f"{line}: {done.returncode}: {done.stdout[-300:]}{done.stderr[-400:]}")
    assert wrong == []


INTERACTIVE = {
    ("recipe", "edit"),
    ("ask", "choose"),
    ("ask", "confirm"),
    ("ask", "text"),
    ("ask", "secret"),
}  # they ask on the terminal
RUNTIMES = {
    ("colab", command) for command in ("ssh", "run", "resolve", "stop", "pick")
}  # the tests of trainsh-colab have one
