"""A machine of the tests that has an imitation of nvidia-smi (nvidia_smi.sh), and what the imitation prints."""

import shutil
from pathlib import Path

from trainsh_world import World
from world_sshd import Sshd

STANDIN = Path(__file__).with_name("nvidia_smi.sh")
A100 = {
    "index": "0", "uuid": "GPU-5a1c", "driver_version": "550.54.15", "name": "NVIDIA A100-SXM4-80GB",
    "memory.total": "81920", "memory.used": "62669", "utilization.gpu": "97", "temperature.gpu": "64",
    "power.draw": "310.22", "power.limit": "400.00", "mig.mode.current": "Disabled",
}  # fmt: skip
# The values of the real card whose output is in real/h100.txt.
H100 = {
    "index": "0", "uuid": "GPU-d7e90b2c-5bb4-f15b-4d78-c25dc0169214", "driver_version": "580.159.04",
    "name": "NVIDIA H100 80GB HBM3", "memory.total": "81559", "memory.used": "0", "utilization.gpu": "0",
    "temperature.gpu": "35", "power.draw": "71.06", "power.limit": "700.00", "mig.mode.current": "Disabled",
}  # fmt: skip
IDLE = A100 | {
    "index": "1", "uuid": "GPU-77d0", "memory.used": "4", "utilization.gpu": "0", "temperature.gpu": "31",
    "power.draw": "58.91",
}  # fmt: skip
# The card of a desktop, which has no MIG and no power limit.
GEFORCE = A100 | {
    "uuid": "GPU-90bb", "name": "NVIDIA GeForce GTX 1050", "memory.total": "2048", "memory.used": "11",
    "utilization.gpu": "[N/A]", "power.draw": "[N/A]", "power.limit": "[N/A]", "mig.mode.current": "[N/A]",
}  # fmt: skip
DIVIDED = A100 | {"uuid": "GPU-c0de", "mig.mode.current": "Enabled", "utilization.gpu": "[N/A]"}
DEVICES = """\
GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-c0de)
  MIG 3g.40gb     Device  0: (UUID: MIG-aaaa)
  MIG 1g.10gb     Device  1: (UUID: MIG-bbbb)
"""
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA "
    "driver is installed and running.\n"
)


def real_output(start: str) -> tuple[str, int]:
    """The output and exit status of a real nvidia-smi, from real/h100.txt, for the command with this beginning."""
    sections = Path(__file__).with_name("real").joinpath("h100.txt").read_text().split("$ ")
    text = next(section for section in sections if section.startswith(start)).partition("\n")[2]
    output, _, status = text.rpartition("status ")
    return output, int(status)


def app(uuid: str, pid: int, memory: str, name: str) -> dict[str, str]:
    """A process in the form that --query-compute-apps prints."""
    return {"gpu_uuid": uuid, "pid": str(pid), "used_memory": memory, "process_name": name}


def lines(rows: list[dict[str, str]]) -> str:
    """Rows in the form that the imitation of nvidia-smi reads."""
    return "".join("|".join(f"{key}={value}" for key, value in row.items()) + "\n" for row in rows)


def smi_host(world: World, name: str, *cards: dict[str, str]) -> Sshd:
    """A machine of hosts.toml with these GPUs. The imitation of nvidia-smi is on the PATH of its shells."""
    box = world.sshd(name)
    world.host(box)
    folder = box.home / "bin"
    folder.mkdir()
    shutil.copy(STANDIN, folder / "nvidia-smi")
    (folder / "cards").write_text(lines(list(cards)))
    (box.home / ".bashrc").write_text(f"PATH={folder}:$PATH\n")
    return box
