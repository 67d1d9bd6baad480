"""A route between two places, in the form that rsync's argv needs."""

from pathlib import Path

import msgspec

from trainsh_xfer.engines.rsync import Rsync, copy
from trainsh_xfer.hosts.machines import Connection
from trainsh_xfer.model import Options


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides as rsync arguments, and the connection between them.

    For a copy on this machine, the connection is None. `rsync` is the program that is started, and `program` is the
    host's --rsync-path. `parents` is the local path whose parent folders must be created. After a move, empty
    folders are removed: on this machine those in the sources `tidy`, and on a host by the command `tidy_far`.
    `foreign` means that the files come from a host to another machine. `follow` means that the source is a link to
    a file. `told` names source and destination, for messages. `root` is the source folder, as an rsync argument, to
    which the names in rsync's output are relative. It is empty if there are several such folders, or if neither
    side is this machine. `making` is the command that makes the destination folder on the host.
    """

    rsync: Rsync
    sources: list[str]
    destination: str
    connection: Connection | None = None
    program: str = ""
    secluded: bool = False
    parents: str = ""
    foreign: bool = False
    follow: bool = False
    told: str = ""
    tidy: list[str] = []
    tidy_far: str = ""
    root: str = ""
    making: str = ""

    @property
    def way(self) -> str:
        """The engine and the route, for messages."""
        return "rsync on this machine" if self.is_local else f"rsync {self.told}"

    @property
    def host(self) -> str:
        """The host's name in messages, or "" for a copy on this machine."""
        return self.connection.target.label if self.connection else ""

    @property
    def name(self) -> str:
        """The name that `train host` has for the host."""
        return self.connection.target.name if self.connection else ""

    @property
    def receiver(self) -> Connection | None:
        """The connection to the receiving side.

        It is None, unless that side is a host whose rsync prints its process id.
        """
        return self.connection if self.program and not self.foreign else None

    @property
    def is_local(self) -> bool:
        """Whether both sides are this machine."""
        return self.connection is None

    def words(self, options: Options, *, resume: bool = False) -> list[str]:
        """The argv to run with the current connection."""
        remote = self.connection.remote(self.program, plain=self.rsync.open) if self.connection else None
        return copy(
            self.rsync,
            options,
            self.sources,
            self.destination,
            remote=remote,
            secluded=self.secluded,
            resume=resume,
            foreign=self.foreign,
            follow=self.follow,
        )

    def share(self, options: Options, names: Path) -> list[str]:
        """The argv that copies only the files whose names are in the file `names`."""
        assert self.connection is not None
        remote = self.connection.remote(self.program)
        return copy(
            self.rsync, options, [self.root], self.destination,
            remote=remote, secluded=self.secluded, foreign=self.foreign, names=str(names),
        )  # fmt: skip

    def prepare(self) -> None:
        """Make the destination folder before the copy. Several rsyncs that make it at the same time would fail."""
        if self.foreign:
            Path(self.destination).mkdir(parents=True, exist_ok=True)
        elif self.connection and self.making:
            self.connection.run(self.making)

    def detour(self, why: str) -> bool:
        """Use a longer route from now on, and tell the user the reason `why`.

        Return False if there is no longer route.
        """
        return False

    def find_room(self) -> None:
        """Wait for a free channel, because the host has refused one."""
        if self.connection:
            self.connection.find_room()
