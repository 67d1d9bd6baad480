"""Runtimes of Google's own program. An imitation of it (google_colab.py) is on PATH."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from colab_world import Colab

BIN = Path(sys.executable).parent


@pytest.fixture
def google(colab: Colab) -> Colab:
    """The imitation, and the sshd to which its sessions lead."""
    colab.program("colab", "google_colab.py")
    server = colab.world.sshd("vm")
    (colab.sessions / "port").write_text(str(server.port))
    return colab


def made(google: Colab) -> list[str]:
    file = google.sessions / "made"
    return file.read_text().split() if file.exists() else []


def test_a_session_is_a_machine_and_is_never_made_by_connecting(google: Colab) -> None:
    assert google.rows() == {}  # the program was never used, so it is not called
    subprocess.run(["colab", "new", "-s", "mine", "--gpu", "T4"], env=google.env, check=True, capture_output=True)
    row = google.rows()["mine"]
    assert (row["state"], row["gpu"], row["through"], row["price_per_hour"] > 0) == (
        "running",
        "T4",
        "google",
        True,
    )
    bill = json.loads(google.run("bill", "--json"))
    assert bill["now"][0]["id"] == "mine" and float(bill["now"][0]["per_hour"]) == row["price_per_hour"]
    assert "train colab stop mine" in google.run("bill")
    assert google.run("run", "echo there").strip() == "there"
    target = json.loads(google.run("resolve", "mine", "--json"))
    assert target["rented"] and target["machine"] == f"colab-{row['address']}"
    (google.sessions / "mine.session").unlink()  # Google has taken it back
    google.world.run("train-host", "disconnect", "--all")
    assert "no Colab runtime" in google.run("run", "--on", "mine", "true", status=3)
    assert "has no session" in google.run("proxy", "mine", status=3)
    assert made(google) == ["mine"]


def test_pick_and_stop_by_hand(google: Colab) -> None:
    assert "no Colab runtime answers" in google.run("pick", "gpu", "--job", "j1", status=3)
    first = json.loads(google.run("pick", "gpu", "--create", "--gpu", "T4", "--job", "j1", "--json"))
    again = json.loads(google.run("pick", "gpu", "--create", "--gpu", "T4", "--job", "j1", "--json"))
    assert first["instance"]["id"] == again["instance"]["id"] and len(made(google)) == 1
    assert first["hosts"] == {"gpu": f"colab:{first['instance']['id']}"}
    (google.world.config / "jobs" / "open").mkdir(parents=True)
    (google.world.config / "jobs" / "open" / "j1").touch()
    assert "no Colab runtime is free" in google.run("pick", "gpu", "--job", "j2", status=3)
    (google.world.config / "jobs" / "open" / "j1").unlink()  # this job has ended
    assert json.loads(google.run("pick", "gpu", "--job", "j2", "--json"))["instance"]["job"] == "j2"
    assert "given back" in google.run("stop", "--job", "j2") and google.rows() == {}
    assert "which runtime?" in google.run("stop", status=2)


def test_a_recipe_makes_a_runtime_and_gives_it_back(google: Colab) -> None:
    recipe = "host gpu = placeholder\ncolab.pick @gpu create=true gpu=T4\ntmux.open @gpu as work\n@work > echo on the $((1 + 1))nd try\n\nfinally\ntmux.close @work\ncolab.stop\n"
    (google.world.home / "a.recipe").write_text(recipe)
    done = google.world.run("train-recipe", "run", "./a.recipe", "--no-visual", timeout=120)
    assert "on the 2nd try" in done.out + done.err
    assert google.rows() == {} and len(made(google)) == 1


@pytest.mark.slow
def test_it_keeps_the_contract_of_providers(google: Colab) -> None:
    words = ["check", "colab", "--set", "create=true", "--set", "gpu=T4", "--yes", "--json"]
    done = google.world.run(str(BIN / "train-plugin"), *words, check=False, timeout=300)
    assert done.out, done.err
    rows = json.loads(done.out)["rows"]
    assert [row for row in rows if row["state"] == "failed"] == [], rows
    assert next(row["detail"] for row in rows if row["name"] == "tool killed, asked again").startswith(
        "one machine"
    )
    assert google.rows() == {} and len(made(google)) == len(set(made(google)))
