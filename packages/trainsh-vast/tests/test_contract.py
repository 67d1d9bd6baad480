"""Checks with `train plugin check` that train-vast keeps the contract of docs/providers.md."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from vast_cloud import BIN, Cloud


@pytest.mark.slow
def test_it_keeps_the_contract_of_providers(cloud: Cloud, tmp_path: Path) -> None:
    words = ["check", "vast", "--set", "create=true", "--set", "auto=true", "--yes", "--json"]
    env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        [str(BIN / "train-plugin"), *words], env=env, capture_output=True, text=True, check=False, timeout=300
    )
    rows = json.loads(done.stdout)["rows"]
    assert [row for row in rows if row["state"] == "failed"] == [], rows
    assert next(row["detail"] for row in rows if row["name"] == "runner killed, asked again").startswith(
        "one machine"
    )
    assert cloud.rows() == []
