"""Tests train host gpus on real sshds.

Since a GPU is rarely at hand, their nvidia-smi is an imitation (nvidia_smi.sh), which is compared with what a real one
printed (real/h100.txt).
"""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from trainsh_world import World, wait_until

sys.path.insert(0, str(Path(__file__).parent))

from screens import Screen
from smi_host import (
    A100,
    DEVICES,
    DIVIDED,
    GEFORCE,
    H100,
    IDLE,
    NO_DRIVER,
    STANDIN,
    app,
    lines,
    real_output,
    smi_host,
)
from trainsh_host.gpus.history import History
from trainsh_host.gpus.reading import host_gpus, script

GIB = 1 << 30
# A machine without an imitation has the GPUs of the machine that runs the tests.
PLAIN = ("ok", "") if shutil.which("nvidia-smi") else ("none", "nvidia-smi")


def asked(world: World, *words: str, status: int = 0) -> list[dict[str, Any]]:
    done = world.run("train-host", "gpus", *words, "--json", check=False)
    assert done.status == status, done.err
    return json.loads(done.out)


def test_all_hosts_at_once_and_what_is_wrong_with_some(world: World) -> None:
    smi_host(world, "two", A100, IDLE)
    world.host(world.sshd("plain"))
    smi_host(world, "empty")
    far = world.sshd("far")
    world.host(far)
    far.stop()
    rows = {row["host"]: row for row in asked(world, status=8)}
    two = rows["two"]
    assert (two["state"], two["driver"], len(two["gpus"])) == ("ok", "550.54.15", 2)
    card = two["gpus"][0]
    assert (card["name"], card["use"], card["temperature"]) == ("NVIDIA A100-SXM4-80GB", 97, 64)
    assert (card["power"], card["power_limit"]) == (310.22, 400)
    assert (card["memory_total"], card["memory_used"]) == (80 * GIB, 62669 << 20)
    assert rows["plain"]["state"] == PLAIN[0] and PLAIN[1] in rows["plain"]["problem"]
    assert rows["empty"]["state"] == "none" and "no devices" in rows["empty"]["problem"]
    assert (rows["far"]["state"], rows["far"]["code"], rows["far"]["exit"]) == ("failed", "refused", 8)
    said = world.run("train-host", "gpus", check=False)
    assert said.status == 8
    assert (f"plain: no GPU ({rows['plain']['problem']})" in said.out) is (PLAIN[0] == "none")
    assert "  0  NVIDIA A100-SXM4-80GB  97%  61.2/80.0 GiB  64 °C  310/400 W" in said.out
    assert "far: far refuses connections" in said.out
    assert "Traceback" not in said.err


def test_one_without_a_gpu_is_no_failure(world: World) -> None:
    world.host(world.sshd("plain"))
    assert asked(world, "plain")[0]["state"] == PLAIN[0]


def test_processes_and_whose_job_they_are(world: World) -> None:
    box = smi_host(world, "box", A100, IDLE)
    world.run("train-tmux", "open", "box", "work", "--job", "20260101-ab12")
    world.run(
        "train-tmux",
        "run",
        "sleep 271",
        "--session",
        "work",
        "--host",
        "box",
        "--job",
        "20260101-ab12",
        "--background",
    )
    own = subprocess.Popen(["sleep", "272"], env=world.env)
    try:
        wait_until(lambda: pids(world, "sleep 271"), "the step")
        step = pids(world, "sleep 271")[0]
        rows = [
            app("GPU-5a1c", step, "62665", "sleep"),
            app("GPU-77d0", own.pid, "[N/A]", "/usr/bin/sleep"),
            app("GPU-77d0", own.pid, "12", "[Not Found]"),  # the number belongs to a process in another container
            app("GPU-77d0", 4194300, "12", "python"),
        ]
        (box.home / "bin" / "apps").write_text(lines(rows))
        cards = asked(world, "box")[0]["gpus"]
        first = cards[0]["processes"][0]
        assert (first["pid"], first["job"], first["session"]) == (step, "20260101-ab12", "work")
        assert first["train"] and first["user"] and first["command"] == "sleep 271"
        plain, stranger, gone = cards[1]["processes"]
        assert plain["seen"] and "job" not in plain and "memory" not in plain
        assert "seen" not in stranger and "seen" not in gone and gone["memory"] == 12 << 20
        said = world.run("train-host", "gpus", "box").out
        assert "job ab12 (work)  sleep 271" in said and "its owner is not known" in said
    finally:
        own.kill()
        own.wait()


def pids(world: World, command: str) -> list[int]:
    """The processes of this world that run a command: those of other tests may too."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cmdline").read_bytes() == command.replace(" ", "\0").encode() + b"\0" and (
                f"TRAINSH_WORLD={world.mark}".encode() in (entry / "environ").read_bytes()
            ):
                found.append(int(entry.name))
    return found


def test_a_divided_gpu_and_an_old_driver(world: World) -> None:
    box = smi_host(world, "mig", DIVIDED)
    (box.home / "bin" / "devices").write_text(DEVICES)
    (box.home / "bin" / "apps").write_text(lines([app("MIG-bbbb", 7, "[N/A]", "python")]))
    card = asked(world, "mig")[0]["gpus"][0]
    assert card["mig"] and [part["name"] for part in card["slices"]] == ["3g.40gb", "1g.10gb"]
    assert card["use"] is None and [process["pid"] for process in card["processes"]] == [7]
    assert "MIG: 3g.40gb, 1g.10gb" in world.run("train-host", "gpus", "mig").out
    old = smi_host(world, "old", GEFORCE)
    (old.home / "bin" / "old").touch()
    card = asked(world, "old")[0]["gpus"][0]
    assert (card["name"], card["mig"], card["power"]) == ("NVIDIA GeForce GTX 1050", False, None)


def test_a_driver_that_does_not_run_and_one_that_hangs(world: World) -> None:
    box = smi_host(world, "box", A100)
    (box.home / "bin" / "broken").write_text(NO_DRIVER)
    row = asked(world, "box", status=7)[0]
    assert row["code"] == "no_driver" and "couldn't communicate" in row["problem"] and "dmesg" in row["hint"]
    (box.home / "bin" / "broken").unlink()
    (box.home / "bin" / "hangs").touch()
    began = time.monotonic()
    row = asked(world, "box", "--timeout", "2s", status=6)[0]
    assert row["code"] == "host_silent" and time.monotonic() - began < 50


def test_names_that_are_none(world: World) -> None:
    assert asked(world, "nobody", status=3)[0]["code"] == "no_host"
    done = world.run("train-host", "gpus", check=False)
    assert done.status == 3 and "train host add" in done.err


def test_hostile_words_do_not_reach_the_terminal(world: World) -> None:
    box = smi_host(world, "box", A100 | {"name": "\x1b]0;owned\x07NVIDIA \x1b[2JX"})
    (box.home / "bin" / "apps").write_text(lines([app("GPU-5a1c", 9, "1", "\x1b[31m$(touch /tmp/owned)")]))
    done = world.run("train-host", "gpus", "box")
    assert "\x1b" not in done.out and "owned" in done.out
    assert "\x1b" not in world.run("train-host", "gpus", "box", "--json").out


def test_watching_as_events_until_cancelled(world: World) -> None:
    box = smi_host(world, "box", A100)
    words = ["train-host", "gpus", "box", "--watch", "--every", "0.5s", "--jsonl"]
    watching = subprocess.Popen(words, env=world.env, stdout=subprocess.PIPE, text=True)
    assert watching.stdout is not None
    first = json.loads(watching.stdout.readline())
    assert first["event"] == "gpus" and first["hosts"][0]["gpus"][0]["use"] == 97
    (box.home / "bin" / "cards").write_text(lines([A100 | {"utilization.gpu": "12"}]))
    box.drop()  # the connection is lost, and the next look makes a new one
    deadline = time.monotonic() + 60
    while json.loads(watching.stdout.readline())["hosts"][0].get("gpus", [{"use": 0}])[:1] != [
        first["hosts"][0]["gpus"][0] | {"use": 12}
    ]:
        assert time.monotonic() < deadline
    watching.terminate()
    watching.stdout.read()
    assert watching.wait(60) == 143


@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash"])
def test_the_script_in_every_shell(shell: str, tmp_path: Path) -> None:
    (tmp_path / "nvidia-smi").symlink_to(Path(__file__).with_name("nvidia_smi.sh").resolve())
    body = 'say() { printf "%s\\n" "$*"; }\n' + script()
    words = [*shell.split(), "-c", body]
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert host_gpus("box", done.stdout.splitlines()).state == "none", done.stderr


def test_a_real_card() -> None:
    query, _ = real_output("nvidia-smi --query-gpu=index,uuid")
    apps, _ = real_output("nvidia-smi --query-compute-apps")
    columns = (
        "index,uuid,driver_version,memory.total,memory.used,utilization.gpu,temperature.gpu,power.draw,power.limit"
    )
    said = [f"columns {columns},mig.mode.current,name", f"gpu {query.strip()}", "status 0", f"app {apps.strip()}"]
    argv = "/opt/torch/.venv/bin/python3 train.py"
    said.append(f"process 1326 root\ttrain-20261127-ab12\twork\tpython3\tpython3.12\t{argv}")
    host = host_gpus("box", said)
    (card,) = host.gpus
    assert (host.driver, card.name, card.memory_total) == ("580.159.04", "NVIDIA H100 80GB HBM3", 81559 << 20)
    assert (card.use, card.temperature, card.power, card.power_limit, card.mig) == (0, 35, 71.06, 700, False)
    (process,) = card.processes
    assert (process.pid, process.memory, process.job, process.session) == (
        1326,
        1032 << 20,
        "20261127-ab12",
        "work",
    )


@pytest.mark.parametrize(
    "words",
    [
        "--query-gpu=index,uuid,driver_version,memory.total,memory.used,utilization.gpu,temperature.gpu,power.draw,"
        "power.limit,mig.mode.current,name --format=csv,noheader,nounits",
        "--query-compute-apps=gpu_uuid,pid,used_memory,process_name --format=csv,noheader,nounits",
        "-L",
    ],
)
def test_the_imitation_prints_what_a_real_one_prints(words: str, tmp_path: Path) -> None:
    shutil.copy(STANDIN, tmp_path / "nvidia-smi")
    (tmp_path / "cards").write_text(lines([H100]))
    (tmp_path / "apps").write_text(lines([app(H100["uuid"], 1326, "1032", "/opt/torch/.venv/bin/python3")]))
    (tmp_path / "devices").write_text(f"GPU 0: {H100['name']} (UUID: {H100['uuid']})\n")
    done = subprocess.run([tmp_path / "nvidia-smi", *words.split()], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == real_output(f"nvidia-smi {words}")


def test_the_imitation_fails_as_a_real_one_fails(tmp_path: Path) -> None:
    shutil.copy(STANDIN, tmp_path / "nvidia-smi")
    (tmp_path / "cards").write_text("")
    query = "--query-gpu=index,mig.mode.current --format=csv,noheader,nounits"
    empty = subprocess.run([tmp_path / "nvidia-smi", *query.split()], capture_output=True, text=True, check=False)
    assert (empty.stdout, empty.returncode) == real_output("nvidia-smi -i 7")
    (tmp_path / "old").touch()
    old = subprocess.run([tmp_path / "nvidia-smi", *query.split()], capture_output=True, text=True, check=False)
    output, status = real_output("nvidia-smi --query-gpu=index,no.such.field")
    assert (old.stdout, old.returncode) == (output.replace("no.such.field", "mig.mode.current"), status)
    words = [tmp_path / "nvidia-smi", "--no-such", "--format=csv,noheader,nounits"]
    odd = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (odd.stdout, odd.returncode) == real_output("nvidia-smi --no-such")


def test_a_lost_gpu_beside_a_good_one() -> None:
    columns = "index,uuid,driver_version,memory.total,memory.used,utilization.gpu,temperature.gpu,power.draw,power.limit,name"
    good = "0, GPU-1, 470.1, 100, 1, 5, 40, 30.5, 70.0, Tesla T4, a card"
    lost = "Unable to determine the device handle for GPU 0000:02:00.0: GPU is lost.  Reboot the system to recover this GPU"
    row = host_gpus("box", [f"columns {columns}", f"gpu {good}", f"gpu {lost}", "status 15"])
    assert [gpu.name for gpu in row.gpus] == ["Tesla T4, a card", ""] and "lost" in row.gpus[1].problem
    bad = "1, GPU-2, 470.1, [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], [GPU is lost], X"
    assert host_gpus("box", [f"columns {columns}", f"gpu {bad}"]).gpus[0].problem == "GPU is lost"
    assert host_gpus("box", [f"columns {columns}", "status 1"]).state == "failed"


def test_history_has_gaps_where_a_look_failed() -> None:
    columns = "index,uuid,driver_version,memory.total,memory.used,utilization.gpu,temperature.gpu,power.draw,power.limit,name"
    history = History()
    for use in ("0", "50", None, "100", "[N/A]"):
        line = f"gpu 0, GPU-1, 1, 1, 1, {use}, 1, 1, 1, T4"
        history.add([host_gpus("box", [f"columns {columns}", *([line] if use else [])])])
    assert history.drawn("box", "GPU-1", 8) == "   ▁▄·█·"
    assert history.drawn("box", "GPU-1", 2) == "█·"


def test_the_live_picture(world: World) -> None:
    box = smi_host(world, "gpu-box", A100, IDLE)
    (box.home / "bin" / "apps").write_text(lines([app("GPU-5a1c", 4194300, "62665", "python")]))
    smi_host(world, "empty")
    smi_host(world, "desk", GEFORCE)
    with Screen(world, "train-host gpus --watch --every 0.5s") as screen:
        screen.shows("GTX 1050")
        screen.shows("97%")  # the hosts answer in any order
        (box.home / "bin" / "cards").write_text(lines([A100 | {"utilization.gpu": "40"}, IDLE]))
        shown = screen.shows("40%")
        assert re.search("█·*▃", shown), shown  # a host that was slow to answer leaves a gap
        (box.home / "bin" / "cards").write_text(lines([A100, IDLE]))
        screen.shows("97%")
        screen.is_golden("gpus-watch", (r" *[▁▂▃▄▅▆▇█·]+ ", " #HISTORY# "))
        (box.home / "bin" / "hangs").touch()
        screen.lacks("looking")
        time.sleep(1)  # the next look at this host never returns, but the screen ends all the same
        screen.keys("q")
        screen.shows("ended 0", 15)
