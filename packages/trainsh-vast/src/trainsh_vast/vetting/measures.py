"""Compares what was measured on a machine with the figures in its offer."""

from typing import Any

import msgspec

# The share of the figure in the offer that a machine must reach. It is below 1, because offers show peaks and the
# measurement is short.
SHARE = {"gpus": 1.0, "memory": 0.94, "free": 0.5, "disk": 0.2, "down": 0.25, "up": 0.25, "tflops": 0.4}
ENOUGH = {"disk": 100.0}  # a machine that reaches this figure is not rejected, whatever its offer says
UNITS = {
    "gpus": "GPUs", "memory": "MB of GPU memory", "free": "GB of free disk", "disk": "MB/s to disk",
    "down": "Mb/s down", "up": "Mb/s up", "tflops": "TFLOPS", "driver": "driver", "cuda": "CUDA",
}  # fmt: skip


class Vetted(msgspec.Struct, frozen=True, kw_only=True):
    """The measured figures. `short` lists, in words, the figures that are below those of the offer."""

    measured: dict[str, str]
    short: list[str]

    @property
    def text(self) -> str:
        """The figures as text, such as `1 GPUs, 24564 MB of GPU memory, 2100 Mb/s down`."""
        return ", ".join(f"{value} {UNITS[name]}" for name, value in self.measured.items())


def parsed(text: str) -> dict[str, str]:
    """The lines `NAME NUMBER` of vet.sh as NAME -> NUMBER. Other lines are left out."""
    pairs = [line.split() for line in text.splitlines()]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[0] in UNITS}


def promised(row: dict[str, Any]) -> dict[str, float]:
    """The figures that the service shows for an instance. The keys are the names that vet.sh uses."""
    gpus = float(row.get("num_gpus") or 1)
    found = {
        "gpus": row.get("num_gpus"), "memory": row.get("gpu_ram"), "free": row.get("disk_space"),
        "disk": row.get("disk_bw"), "down": row.get("inet_down"), "up": row.get("inet_up"),
        "tflops": float(row.get("total_flops") or 0) / gpus,
    }  # fmt: skip
    return {name: float(value) for name, value in found.items() if value}


def judged(row: dict[str, Any], measured: dict[str, str]) -> Vetted:
    """Compare the measured figures with those in a machine's row.

    A figure that was not measured is not compared.
    """
    short = []
    for name, wanted in promised(row).items():
        have = _number(measured.get(name))
        if have is not None and have < min(wanted * SHARE[name], ENOUGH.get(name, wanted)):
            short.append(f"{measured[name]} {UNITS[name]} instead of {wanted:g}")
    for name, key in (("cuda", "cuda_max_good"), ("driver", "driver_version")):
        if name in measured and row.get(key) and _version(measured[name]) < _version(str(row[key])):
            short.append(f"{UNITS[name]} {measured[name]} instead of {row[key]}")
    return Vetted(measured=measured, short=short)


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _version(text: str) -> list[int]:
    return [int(part) for part in text.split(".") if part.isdecimal()]
