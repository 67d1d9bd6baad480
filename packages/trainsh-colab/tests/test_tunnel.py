"""Runtimes behind a tunnel: real sshds, and an imitation of cloudflared."""

import json
import subprocess
import sys
import time
from pathlib import Path

from trainsh_world import wait_until

from colab_world import Colab


def test_connect_list_run_and_remove(colab: Colab) -> None:
    nb = colab.world.sshd("nb")
    cell = json.loads(colab.run("connect", "nb", "--json"))
    assert cell["state"] == "waiting" and colab.world.key.with_suffix(".pub").read_text().strip() in cell["cell"]
    assert colab.rows() == {}
    address = colab.tunnel("one", nb)
    done = json.loads(colab.run("connect", "nb", "--host", address, "--json"))
    assert (done["state"], done["secret"]) == ("running", "")
    row = colab.rows()["nb"]
    assert (row["state"], row["through"], row["end"]) == ("running", "cloudflared", "train colab stop nb")
    assert colab.run("run", "echo $((6 * 7))").strip() == "42"
    assert colab.run("run", "--on", "nb", "--", "printf", "%s", "a  b") == "a  b"
    assert "exit 3" not in colab.run("run", "exit 3", status=3)
    assert json.loads(colab.run("ssh", "nb", "--json"))["argv"][1:] == ["ssh", "colab:nb"]
    assert colab.world.run("train-host", "run", "nb", "--", "echo by its name").out.strip() == "by its name"
    listed = json.loads(colab.world.run("train-host", "list", "--json").out)
    assert {row["name"]: row.get("state") for row in listed} == {"nb": None, "colab:nb": "running"}
    colab.run("remove", "nb", "--yes")
    assert colab.rows() == {} and "no Colab connection" in colab.run("remove", "nb", "--yes", status=3)


def test_a_runtime_that_was_taken_back_says_so(colab: Colab) -> None:
    nb = colab.world.sshd("nb")
    address = colab.tunnel("one", nb)
    colab.run("connect", "nb", "--host", address)
    first = json.loads(colab.run("resolve", "nb", "--json"))
    assert colab.run("run", "true") == ""
    (colab.tunnels / address).unlink()
    nb.drop()
    colab.world.run("train-host", "disconnect", "nb")
    said = colab.run("run", "true", status=5)
    assert "the Colab runtime nb is gone: Google took it back" in said and "bad handshake" in said
    assert "train colab connect nb --host" in said
    assert colab.rows()["nb"]["state"] == "gone"
    nb.new_host_key()  # from now on it is another runtime
    nb.restart()
    colab.run("connect", "nb", "--host", colab.tunnel("two", nb))
    second = json.loads(colab.run("resolve", "nb", "--json"))
    assert second["machine"] != first["machine"] and second["rented"]
    assert colab.run("run", "echo again").strip() == "again"


def test_a_password_goes_to_the_secret_store(colab: Colab) -> None:
    for name in ("id_ed25519", "id_ed25519.pub"):
        (colab.world.home / ".ssh" / name).unlink()
    made = json.loads(colab.run("connect", "nb", "--json"))
    assert made["secret"] == "NB_COLAB_PASSWORD"
    password = json.loads(colab.world.run("train-secrets", "get", made["secret"], "--json").out)["value"]
    assert len(password) > 16 and repr(password) in made["cell"]
    assert json.loads(colab.run("connect", "nb", "--json"))["cell"] == made["cell"]
    nb = colab.world.sshd("nb", password=password, keys=False)
    if nb.namespaced:
        colab.run("connect", "nb", "--host", colab.tunnel("one", nb), "--password")
        assert colab.run("run", "echo let in").strip() == "let in"
        assert password not in (colab.world.config / "hosts.toml").read_text()
    colab.run("connect", "nb", "--host", colab.tunnel("one", nb), "--password")
    colab.run("remove", "nb", "--yes")
    assert colab.world.run("train-secrets", "get", made["secret"], check=False).status == 3


def test_the_file_of_version_0_9_is_moved(colab: Colab) -> None:
    nb = colab.world.sshd("nb")
    old = colab.world.config / "colab.json"
    address = colab.tunnel("old", nb)
    connections = [
        {
            "name": "my notebook",
            "tunnel_type": "cloudflared",
            "config": {"hostname": address},
            "password": "hunter2",
        },
        {
            "name": "ng",
            "tunnel_type": "ngrok",
            "config": {"hostname": "127.0.0.1", "port": nb.port},
            "password": "",
        },
    ]
    old.write_text(json.dumps({"connections": connections}))
    done = subprocess.run(
        ["train-colab", "list", "--json"], env=colab.env, capture_output=True, text=True, check=True
    )
    rows = {row["id"]: row for row in json.loads(done.stdout)}
    assert {name: row["through"] for name, row in rows.items()} == {"my-notebook": "cloudflared", "ng": "ngrok"}
    assert rows["ng"]["state"] == rows["my-notebook"]["state"] == "running"
    assert not old.exists() and old.with_name("colab.json.moved").stat().st_mode & 0o777 == 0o600
    text = (colab.world.config / "hosts.toml").read_text()
    assert "hunter2" not in text and 'password_secret = "MY_NOTEBOOK_COLAB_PASSWORD"' in text
    assert colab.world.run("train-secrets", "get", "MY_NOTEBOOK_COLAB_PASSWORD").out.strip() == "hunter2"
    old.write_text("{")
    assert "cannot be read" in colab.run("list", status=2) and old.exists()


def test_a_tunnel_program_that_is_missing(colab: Colab) -> None:
    colab.run("connect", "nb", "--host", colab.tunnel("one", colab.world.sshd("nb")))
    (colab.world.folder / "bin" / "cloudflared").unlink()
    assert "cloudflared is not installed" in colab.run("resolve", "nb", status=9)
    assert "cloudflared is not installed" in colab.rows()["nb"]["problem"]


RECIPE = """
host gpu = colab:nb

./in.txt -> @gpu:~/work/
tmux.open @gpu as work
@work > cd ~/work && wc -c in.txt > out.txt
@work > { sleep 0.3; touch done; } &
wait @work file=~/work/done timeout=2m
wait @work idle timeout=2m
@gpu:~/work/out.txt -> ./

finally
tmux.close @work
"""


def test_a_recipe_with_sessions_waits_and_transfers(colab: Colab) -> None:
    colab.run("connect", "nb", "--host", colab.tunnel("one", colab.world.sshd("nb")))
    (colab.world.home / "in.txt").write_text("12345")
    (colab.world.home / "a.recipe").write_text(RECIPE)
    colab.world.run("train-recipe", "run", "./a.recipe", "--no-visual", timeout=120)
    assert (colab.world.home / "out.txt").read_text().split()[0] == "5"


def test_a_recipe_is_told_that_the_runtime_is_gone(colab: Colab) -> None:
    nb = colab.world.sshd("nb")
    address = colab.tunnel("one", nb)
    colab.run("connect", "nb", "--host", address)
    recipe = "host gpu = colab:nb\ntmux.open @gpu as work\n@work > touch began; sleep 300\n"
    (colab.world.home / "a.recipe").write_text(recipe)
    words = ["train-recipe", "run", "./a.recipe", "--no-visual"]
    child = subprocess.Popen(
        words, env=colab.env, cwd=colab.world.home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    wait_until((nb.home / "began").exists, "the step")
    (colab.tunnels / address).unlink()
    nb.stop()
    nb.drop()
    began = time.monotonic()
    said, _ = child.communicate(timeout=250)
    assert child.returncode not in (0, None) and "the Colab runtime nb is gone" in said, said
    assert time.monotonic() - began < 200, "long before the command's own end"


def test_the_cell_runs_and_gives_its_runtime_back(colab: Colab, tmp_path: Path) -> None:
    """The cell runs as in a notebook, with a home of its own and the imitation of cloudflared."""
    runtime = tmp_path / "google" / "colab"
    runtime.mkdir(parents=True)
    (runtime / "runtime.py").write_text(
        "import pathlib\ndef unassign():\n    pathlib.Path.home().joinpath('unassigned').touch()\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    cell = home / "cell.py"
    cell.write_text(json.loads(colab.run("connect", "nb", "--json"))["cell"])
    env = colab.env | {"HOME": str(home), "PYTHONPATH": str(tmp_path)}
    child = subprocess.Popen(
        [sys.executable, str(cell)], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert child.stdout is not None
        line = ""
        while "train colab connect nb --host" not in line:
            line = child.stdout.readline()
            assert line, "the cell ended"
        colab.run(*line.split()[2:])
        assert colab.run("run", "echo inside").strip() == "inside"
        # sshd uses the account's own home, not the HOME of this cell. So the test looks for the mark in the
        # account's home.
        own = Path(colab.run("run", "echo $HOME").strip())
        marks = [own / ".trainsh-cell", own / ".trainsh-stop"]
        assert not any(mark.exists() for mark in marks)
        assert "is not from train colab connect" in colab.run("stop", "nb", status=5)
        (home / ".trainsh-stop").touch()
        assert "given back" in child.stdout.read()
        assert child.wait(60) == 0 and (home / "unassigned").exists()
        colab.world.run("train-host", "disconnect", "--all")
        assert colab.rows()["nb"]["state"] == "gone"
    finally:
        child.kill()
        child.wait()


def test_stop_asks_the_cell_and_waits_until_it_is_gone(colab: Colab) -> None:
    nb = colab.world.sshd("nb")
    address = colab.tunnel("one", nb)
    colab.run("connect", "nb", "--host", address)
    (nb.home / ".trainsh-cell").touch()
    script = f"while ! [ -e {nb.home}/.trainsh-stop ]; do sleep 0.1; done; sleep 0.5; rm {colab.tunnels / address}"
    cell = subprocess.Popen(["sh", "-c", script])
    assert "given back" in colab.run("stop", "nb")
    assert cell.wait(60) == 0 and colab.rows()["nb"]["state"] == "gone"
