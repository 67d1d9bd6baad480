"""Routes within one host, and routes between two hosts if one of them may log in to the other."""

import posixpath
from contextlib import ExitStack

import msgspec

from trainsh_base.request import Request
from trainsh_xfer.endpoints import guards
from trainsh_xfer.endpoints.places import Place
from trainsh_xfer.engines import remote_paths
from trainsh_xfer.engines.rsync import Remote, copy
from trainsh_xfer.hosts.host_pair import Pair
from trainsh_xfer.hosts.machines import Connection, rsync_at
from trainsh_xfer.model import Options
from trainsh_xfer.pairs import links
from trainsh_xfer.pairs.route import Route
from trainsh_xfer.remote.library import for_shell


class OneHost(Route, frozen=True, kw_only=True):
    """A route with both sides on one host: the host's rsync copies from disk to disk.

    `sources` and `destination` are quoted for the host's shell.
    """

    def words(self, options: Options, *, resume: bool = False) -> list[str]:
        """rsync's argv as a command line on the host."""
        assert self.connection is not None
        words = copy(self.rsync, options, self.sources, self.destination, follow=self.follow)
        line = " ".join([*map(for_shell, words[:-2]), *words[-2:]])
        return self.connection.words(line if options.dry_run else self.program + line)

    @property
    def receiver(self) -> None:
        """None: a remote rsync need not be stopped, because it ends when its connection ends."""
        return


class TwoHosts(Route, frozen=True, kw_only=True):
    """A route from one host to another. The source's rsync logs in to the destination."""

    pair: Pair

    @property
    def way(self) -> str:
        """The engine and the route. It tells whether the data goes straight from host to host."""
        return f"rsync {self.told}, {'straight' if self.pair.is_straight else 'through this machine'}"

    @property
    def host(self) -> str:
        """Both hosts, for messages."""
        return self.pair.label

    @property
    def name(self) -> str:
        """The destination's name.

        The source's rsync was checked before, so further errors are about the destination.
        """
        return self.pair.destination.target.name

    @property
    def receiver(self) -> Connection:
        """The destination."""
        return self.pair.destination

    def words(self, options: Options, *, resume: bool = False) -> list[str]:
        """The argv with which the source's rsync copies to the destination."""
        program = remote_paths.PROCESS if options.dry_run else self.program

        def line(remote: Remote) -> str:
            return self._line(self._copy(options, remote))

        return self.pair.words(line, program, self.destination, secluded=self.secluded)

    def _copy(self, options: Options, remote: Remote) -> list[str]:
        return copy(
            self.rsync, options, self.sources, f"{remote.host}:{self.destination}", remote=remote,
            secluded=self.secluded, foreign=self.foreign, follow=self.follow,
        )  # fmt: skip

    def detour(self, why: str) -> bool:
        """Route the data through this machine."""
        return self.pair.detour(why)

    def find_room(self) -> None:
        """Wait for a free channel."""
        self.pair.find_room()

    @staticmethod
    def _line(words: list[str]) -> str:
        """`words` quoted for the source's login shell.

        The second to last word is a path that is quoted already, so it is left unchanged.
        """
        return " ".join([*map(for_shell, words[:-2]), words[-2], for_shell(words[-1])])


def between(source: Place, destination: Place, options: Options, request: Request, stack: ExitStack) -> Route:
    """The route from one host to another, or within one host."""
    here, there = source.target, destination.target
    assert here
    assert there
    if options.delete and not options.force:
        guards.check_deletion([source.path], posixpath.normpath(destination.path), [])
    if not destination.literal and remote_paths.is_bare_home(destination.path):
        destination = msgspec.structs.replace(destination, path=destination.path + "/")
    start = Connection(here, request)
    source, destination, follow = links.followed(source, destination, start)
    if here.argv == there.argv:
        return msgspec.structs.replace(_one_host(source, destination, options, start), follow=follow)
    pair = Pair(start, Connection(there, request), request)
    return msgspec.structs.replace(_two_hosts(source, destination, stack.enter_context(pair)), follow=follow)


def _one_host(source: Place, destination: Place, options: Options, connection: Connection) -> Route:
    guards.check_far_overlap(source.path, destination.path, options)
    return OneHost(
        rsync=rsync_at(connection), connection=connection,
        sources=[remote_paths.for_old_rsync(source.path, literal=source.literal, wildcards=True)],
        destination=remote_paths.for_old_rsync(destination.path, literal=destination.literal, wildcards=False),
        program=remote_paths.making_parents(destination.path, literal=destination.literal),
        tidy_far=remote_paths.removing_empty([(source.path, source.literal)]),
    )  # fmt: skip


def _two_hosts(source: Place, destination: Place, pair: Pair) -> Route:
    path, secluded = remote_paths.for_rsync(destination.path, pair.rsync, literal=destination.literal, source=False)
    return TwoHosts(
        pair=pair, rsync=pair.rsync, connection=pair.source,
        sources=[remote_paths.for_old_rsync(source.path, literal=source.literal, wildcards=True)],
        destination=path, secluded=secluded, foreign=True,
        program=remote_paths.receiving(destination.path, literal=destination.literal, make=True),
        tidy_far=remote_paths.removing_empty([(source.path, source.literal)]),
    )  # fmt: skip
