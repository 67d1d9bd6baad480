"""A route between two places, as rsync's argv needs it."""

import msgspec

from trainsh_xfer.engines.rsync import Rsync, copy
from trainsh_xfer.model import Options
from trainsh_xfer.pairs.machines import Connection


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides in rsync's words, and the connection they go over (None: a copy on this machine).

    `rsync` is the one that is started, `program` the host's --rsync-path. `parents` is the local path whose
    parent folders are to be made, `tidy` the local sources, `tidy_far` the command that removes the empty folders
    which a move leaves behind. `foreign`: the files come from a host, to another machine. `follow`: the source is
    a link to a file.
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
    tidy: list[str] = []
    tidy_far: str = ""

    @property
    def host(self) -> str:
        """The host's name in messages; empty for a copy on this machine."""
        return self.connection.target.label if self.connection else ""

    @property
    def name(self) -> str:
        """What `train host` knows the host by."""
        return self.connection.target.name if self.connection else ""

    @property
    def receiver(self) -> Connection | None:
        """The connection to the side that receives, if that is a host and printed its process id."""
        return self.connection if self.program and not self.foreign else None

    @property
    def is_local(self) -> bool:
        """Whether both sides are this machine."""
        return self.connection is None

    def words(self, options: Options, *, resume: bool = False) -> list[str]:
        """What to run, with the connection as it is now."""
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

    def detour(self) -> bool:
        """Take a longer way from now on; False when there is none."""
        return False
