"""The blocks of docs/storage.md, as printed. R2 and S3 are services of the sandbox.

A Drive and B2 are added without a test.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
BLOCKS = re.findall(
    r"^## (.*?)\n.*?^```bash\n(.*?)^```", (ROOT / "docs/storage.md").read_text(), re.DOTALL | re.MULTILINE
)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A person with keys in variables, and services at the sandbox's addresses."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRAINSH_", "XDG_"))}
    env = kept | {"HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}", "TRAINSH_SANDBOX": str(home / "box")}
    env |= {
        "TRAINSH_PASSPHRASE": "open sesame",
        "TRAINSH_SECRETS_AGENT_TIME": "off",
        "B2_ID": "a",
        "B2_SECRET": "b",
    }
    subprocess.run(["train", "sandbox", "up", "--no-machines", "--json"], env=env, check=True, capture_output=True)
    try:
        said = subprocess.run(
            ["train", "sandbox", "env", "--json"], env=env, check=True, capture_output=True
        ).stdout
        found = json.loads(said)["env"]
        kept = {name: found[name] for name in ("TRAINSH_R2_ENDPOINT", "TRAINSH_S3_ENDPOINT")}
        keys = {"R2_ID": found["R2_ACCESS_KEY"], "R2_SECRET": found["R2_SECRET_KEY"]}
        keys |= {"S3_ID": found["AWS_ACCESS_KEY_ID"], "S3_SECRET": found["AWS_SECRET_ACCESS_KEY"]}
        yield env | kept | keys
    finally:
        subprocess.run(["train", "sandbox", "down"], env=env, check=True, capture_output=True)


@pytest.mark.parametrize(("title", "block"), BLOCKS, ids=[title for title, _ in BLOCKS])
def test_a_block_runs(title: str, block: str, person: dict[str, str]) -> None:
    # Each command opens the vault, which by design takes a second of processor time (scrypt). A busy machine may
    # give a process a tenth of its time. So the limit is long, and only ends a command that hangs.
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block], env=person, cwd=person["HOME"], capture_output=True, text=True,
        check=False, stdin=subprocess.DEVNULL, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
