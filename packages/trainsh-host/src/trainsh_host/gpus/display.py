"""The GPUs of hosts as lines of text, for people."""

import sys

from trainsh_base.system.units import format_size
from trainsh_base.tool.display import paint, terminal_width
from trainsh_base.tool.table import cells, cut
from trainsh_host.gpus.model import Gpu, GpuProcess, HostGpus

UNKNOWN = "-"
PROCESS = 5  # the indentation of a line about a process, in columns


def print_gpus(rows: list[HostGpus]) -> None:
    """Print a line for each host. Below a host, print its GPUs; below each GPU, print its processes."""
    width = terminal_width() if sys.stdout.isatty() else None
    for row in rows:
        headline = paint(title(row), "1;31" if row.state == "failed" else "1", sys.stdout)
        print(headline)
        if row.state == "failed" and row.hint:
            print(f"  {row.hint}")
        for line in lines_of(row):
            print(cut(line, width) if width else line)


def title(row: HostGpus) -> str:
    """The title of a host, such as `gpu-box: 2 GPUs, driver 550.54.15`.

    If there are no GPUs to show, it tells the reason.
    """
    if row.state == "none":
        return f"{row.host}: no GPU ({row.problem})"
    if row.state == "failed":
        return f"{row.host}: {row.problem}"
    count = sum(gpu.index >= 0 for gpu in row.gpus)
    return f"{row.host}: {count} GPU{'' if count == 1 else 's'}, driver {row.driver}"


def lines_of(row: HostGpus) -> list[str]:
    """The GPUs of a host, aligned, each followed by its processes."""
    columns = [columns_of(gpu) for gpu in row.gpus]
    sizes = [max(map(cells, column), default=0) for column in zip(*columns, strict=True)]
    lines = []
    for gpu, words in zip(row.gpus, columns, strict=True):
        line = f"  {_index(gpu)}  " + "  ".join(
            f"{word:<{size}}" if place == 0 else f"{word:>{size}}"
            for place, (word, size) in enumerate(zip(words, sizes, strict=True))
        )
        lines.append(f"  {gpu.problem}" if gpu.index < 0 else line.rstrip())
        lines += process_lines(gpu)
    return lines


def _index(gpu: Gpu) -> str:
    return str(gpu.index) if gpu.index >= 0 else "?"


def columns_of(gpu: Gpu) -> list[str]:
    """Name, use, memory, temperature and power of a GPU, as text."""
    if gpu.index < 0:
        return ["", "", "", "", ""]
    if gpu.problem:
        return [f"{gpu.name}: {gpu.problem}", "", "", "", ""]
    return [gpu.name, use(gpu), memory(gpu), temperature(gpu), power(gpu)]


def use(gpu: Gpu) -> str:
    """The use of a GPU as text, such as `97%`."""
    return UNKNOWN if gpu.use is None else f"{gpu.use:.0f}%"


def memory(gpu: Gpu) -> str:
    """The used and the total memory as text, such as `61.2/80.0 GiB`. Both are in the unit of the total."""
    if gpu.memory_total is None:
        return UNKNOWN if gpu.memory_used is None else format_size(gpu.memory_used)
    whole, unit = format_size(gpu.memory_total).split()
    if gpu.memory_used is None:
        return f"{UNKNOWN}/{whole} {unit}"
    scale = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}[unit]
    return f"{gpu.memory_used / scale:.1f}/{whole} {unit}"


def temperature(gpu: Gpu) -> str:
    """The temperature of a GPU as text, such as `64 °C`."""
    return UNKNOWN if gpu.temperature is None else f"{gpu.temperature:.0f} °C"


def power(gpu: Gpu) -> str:
    """The power of a GPU and its limit as text, such as `310/400 W`."""
    if gpu.power is None:
        return UNKNOWN
    return f"{gpu.power:.0f}/{gpu.power_limit:.0f} W" if gpu.power_limit else f"{gpu.power:.0f} W"


def process_lines(gpu: Gpu) -> list[str]:
    """A line with the parts of a divided GPU (MIG), then a line for each process."""
    lines = []
    if gpu.mig:
        parts = ", ".join(part.name for part in gpu.slices) or "no part made"
        lines.append(f"{'':{PROCESS}}MIG: {parts}")
    lines += [f"{'':{PROCESS}}{process_line(process)}" for process in gpu.processes]
    return lines


def process_line(process: GpuProcess) -> str:
    """A process as a line such as `4242  me  60.1 GiB  job 1a2b (work)  python train.py`."""
    size = UNKNOWN if process.memory is None else format_size(process.memory)
    if not process.seen:
        return f"{process.pid}  {size}  {process.name}  (its owner is not known)"
    return "  ".join(
        word for word in (str(process.pid), process.user, size, owner(process), process.command) if word
    )


def owner(process: GpuProcess) -> str:
    """The job or session of a process, such as `job 1a2b (work)` or `session work`.

    The text is empty if train did not start the process.
    """
    if process.job:
        return f"job {process.job.rpartition('-')[2]} ({process.session})"
    if process.session:
        return f"session {process.session}"
    return "a session of train that has ended" if process.train else ""
