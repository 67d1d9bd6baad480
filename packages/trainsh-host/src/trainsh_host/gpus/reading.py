"""Parses the output of `probe.sh` into GPUs and processes. This module makes no connection."""

import re
import shlex
from pathlib import Path

from trainsh_base.errors import RemoteError
from trainsh_host.gpus.model import Gpu, GpuProcess, HostGpus, Slice

MIB = 1 << 20
_DEVICE = re.compile(r"\s*MIG\s+(\S+)\s+Device\s+\d+:\s+\(UUID:\s+(\S+)\)")
_PARENT = re.compile(r"GPU (\d+):.*\(UUID: (\S+)\)")


def script() -> str:
    """The text of `probe.sh`, the body of a request that runs on the host."""
    return Path(__file__).with_name("probe.sh").read_text()


def host_gpus(host: str, lines: list[str]) -> HostGpus:
    """The GPUs in the script's output."""
    said: dict[str, list[str]] = {}
    for line in lines:
        word, _, rest = line.partition(" ")
        said.setdefault(word, []).append(rest)
    if none := said.get("none"):
        return HostGpus(host=host, state="none", problem=none[0])
    columns = said.get("columns", [""])[0].split(",")
    rows = [_fields(line, columns) for line in said.get("gpu", [])]
    cards = [_gpu(row) for row in rows if row]
    loose = [line for line, row in zip(said.get("gpu", []), rows, strict=True) if not row]
    if not cards:
        return _failed(host, loose, said.get("status", ["?"])[0])
    slices = _slices(said.get("device", []))
    processes = _processes(said.get("app", []), said.get("process", []))
    cards = [_whole(card, slices.get(card.uuid, []), processes) for card in cards]
    if loose and said.get("status", ["0"])[0] != "0":
        cards += [Gpu(index=-1, problem=line) for line in loose]
    driver = next(row["driver_version"] for row in rows if row)
    return HostGpus(host=host, state="ok", driver=driver, gpus=cards)


def _failed(host: str, loose: list[str], status: str) -> HostGpus:
    said = loose[0] if loose else f"it printed nothing (status {status})"
    look = f"train host run {shlex.quote(host)} -- 'nvidia-smi; dmesg | tail'"
    return HostGpus(
        host=host, state="failed", problem=f"nvidia-smi: {said}",
        hint=f"its driver does not run; look there: {look}",
        code="no_driver", exit=RemoteError.exit_status,
    )  # fmt: skip


def _fields(line: str, columns: list[str]) -> dict[str, str]:
    """The fields of a line, keyed by the names of their columns.

    If the line has another form, there are no fields. The last field is the name, which may contain commas.
    """
    fields = [field.strip() for field in line.split(", ", len(columns) - 1)]
    return dict(zip(columns, fields, strict=True)) if len(fields) == len(columns) and fields[0].isdigit() else {}


def _gpu(row: dict[str, str]) -> Gpu:
    lost = next((value for value in row.values() if re.search(r"GPU is lost|requires reset", value)), "")
    return Gpu(
        index=int(row["index"]), uuid=row["uuid"], name=row["name"], memory_used=_bytes(row["memory.used"]),
        memory_total=_bytes(row["memory.total"]), use=_number(row["utilization.gpu"]),
        temperature=_number(row["temperature.gpu"]), power=_number(row["power.draw"]),
        power_limit=_number(row["power.limit"]), mig=row.get("mig.mode.current") == "Enabled",
        problem=lost.strip("[]"),
    )  # fmt: skip


def _number(text: str) -> float | None:
    """The number in a text. None for `[N/A]`, `[Not Supported]`, `[Unknown Error]` and any other text."""
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


def _bytes(mebibytes: str) -> int | None:
    number = _number(mebibytes)
    return None if number is None else round(number * MIB)


def _slices(devices: list[str]) -> dict[str, list[Slice]]:
    """The parts of each divided GPU, keyed by the uuid of the GPU, from the lines of `nvidia-smi -L`."""
    found: dict[str, list[Slice]] = {}
    parent = ""
    for line in devices:
        if card := _PARENT.match(line):
            parent = card[2]
        elif part := _DEVICE.match(line):
            found.setdefault(parent, []).append(Slice(name=part[1], uuid=part[2]))
    return found


def _processes(apps: list[str], known: list[str]) -> list[tuple[str, GpuProcess]]:
    """The processes on GPUs. Each is paired with the uuid of its GPU, or of its part of a divided GPU (MIG)."""
    own = {}
    for line in known:
        pid, _, rest = line.partition(" ")
        own[pid] = rest.split("\t", 5)
    found = []
    for line in apps:
        fields = [field.strip() for field in line.split(", ", 3)]
        if len(fields) == 4 and fields[1].isdigit():
            uuid, pid, memory, name = fields
            found.append((uuid, _process(int(pid), memory, name, own.get(pid, []))))
    return found


def _process(pid: int, memory: str, name: str, own: list[str]) -> GpuProcess:
    if len(own) != 6 or not _same(name, own):
        return GpuProcess(pid=pid, name=name, memory=_bytes(memory))
    user, server, session, _, _, argv = own
    return GpuProcess(
        pid=pid, name=name, memory=_bytes(memory), seen=True, user=user, command=argv.strip() or name,
        train=bool(server), job=server.removeprefix("train").removeprefix("-").removeprefix("?"),
        session=session.removeprefix("?"),
    )  # fmt: skip


def _same(name: str, own: list[str]) -> bool:
    """Whether the process that nvidia-smi lists is the process of this host with the same number.

    In a container, it may be another process: there nvidia-smi lists the process numbers of the whole machine, and
    another process in the container may have the same number.
    """
    comm, program, argv = own[3:]
    first = argv.split(" ", 1)[0].rpartition("/")[2]
    plain = name.split(" ", 1)[0].rpartition("/")[2]
    return bool(plain) and any(
        plain == other or (len(other) >= 15 and plain.startswith(other))
        for other in (comm, program, first, argv.strip())
        if other
    )


def _whole(card: Gpu, slices: list[Slice], processes: list[tuple[str, GpuProcess]]) -> Gpu:
    uuids = {card.uuid, *(part.uuid for part in slices)}
    return Gpu(
        **{key: getattr(card, key) for key in card.__struct_fields__ if key not in ("slices", "processes")},
        slices=slices, processes=[process for uuid, process in processes if uuid in uuids],
    )  # fmt: skip
