"""The documents of the command `gpus`: what is known about GPUs."""

from typing import Literal

import msgspec


class GpuProcess(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A process on a GPU. `memory` is in bytes. `job` and `session` are those in which train started it.

    `seen` is false for a process of another container or machine. Then only what nvidia-smi prints about it is
    known. `train` is true for a process that was started in a session of train, even if the session's files are
    gone.
    """

    pid: int
    name: str
    memory: int | None = None
    seen: bool = False
    user: str = ""
    command: str = ""
    train: bool = False
    job: str = ""
    session: str = ""


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a divided GPU (MIG), with the name that `nvidia-smi -L` prints, such as `3g.20gb`."""

    name: str
    uuid: str


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """A GPU. Memory is in bytes, `use` in percent, `temperature` in degrees Celsius, power in watts.

    A value that nvidia-smi does not give is null. `problem` is nvidia-smi's message about a GPU that does not work.
    """

    index: int
    uuid: str = ""
    name: str = ""
    memory_used: int | None = None
    memory_total: int | None = None
    use: float | None = None
    temperature: float | None = None
    power: float | None = None
    power_limit: float | None = None
    mig: bool = False
    slices: list[Slice] = []
    processes: list[GpuProcess] = []
    problem: str = ""


class HostGpus(msgspec.Struct, frozen=True, kw_only=True):
    """The GPUs of one host.

    `state` is `none` if the host has no GPU, and `failed` if this could not be found out. `problem` is the reason
    for such a state. `code` and `exit` are those of the error, or "" and 0 if there was none.
    """

    host: str
    state: Literal["ok", "none", "failed"]
    driver: str = ""
    gpus: list[Gpu] = []
    problem: str = ""
    hint: str = ""
    code: str = ""
    exit: int = 0
