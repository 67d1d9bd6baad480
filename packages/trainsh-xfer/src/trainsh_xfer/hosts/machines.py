"""Finds out with `train-host resolve` how to reach a host, and opens the shared connection that rsync uses."""

import os
import threading
import time

import msgspec

from trainsh_base.errors import MissingProgram, NotFound, TimedOut, TrainError, UsageError
from trainsh_base.remote import ssh
from trainsh_base.remote.control_socket import master_pid
from trainsh_base.remote.target import Target
from trainsh_base.request import Request
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.units import format_duration
from trainsh_base.tool.peer import ANSWER_LIMIT, call
from trainsh_xfer.engines.rsync import Remote, Rsync, read_version
from trainsh_xfer.engines.rsync_errors import installing
from trainsh_xfer.remote.library import argv

# The ssh options that make a client use only the shared connection and never log in by itself. Target.remote_argv
# has the same effect.
CLIENT = ["-o", "ControlMaster=no", "-o", "ProxyCommand=false", "-o", "RemoteCommand=none", "-T", "-x"]
# Seconds for which train tries to open a lost connection again.
PATIENCE = 60.0
# The limit in seconds for a login and the command that it runs. It is needed because a login file that asks a
# question would wait forever.
LOGIN_LIMIT = 60.0
# If rsync runs on the host and says nothing for this many seconds, a login file may have read what was sent to it.
SILENCE_LIMIT = 10.0
RESOLVED_FOR = 30.0
_QUOTED = frozenset(" '\"\t\n")


_resolved: dict[tuple[str, ...], tuple[float, Target]] = {}


def resolve(spec: str) -> Target:
    """The target that `spec` means. `spec` is a host's name, a host's spec, or a target as JSON.

    The answer for a machine that is not rented is used again for RESOLVED_FOR seconds, because `serve` often copies
    to the same hosts. Raises train-host's own errors, and MissingProgram if train-host is not installed.
    """
    if spec == "local":
        return Target.local()
    key = (spec, *(os.environ.get(name, "") for name in ("HOME", "TRAINSH_HOME", "XDG_CONFIG_HOME", "PATH")))
    since, known = _resolved.get(key, (0.0, None))
    if known and time.monotonic() - since < RESOLVED_FOR:
        return known
    target = _asked(spec)
    if not target.rented:
        _resolved[key] = (time.monotonic(), target)
    return target


def _asked(spec: str) -> Target:
    try:
        if spec.startswith("{"):
            return msgspec.json.decode(spec, type=Target)
        return msgspec.convert(call("host", "resolve", {"name": spec}, timeout=ANSWER_LIMIT), Target)
    except NotFound as error:
        if error.code != "no_host" or "did you mean" in error.hint:
            raise
        hint = f"{error.hint}\na storage is written storage:{spec}:/path"
        raise NotFound(error.message, hint, code=error.code, data=error.data) from None
    except msgspec.ValidationError as error:
        raise UsageError(f"train-host resolve did not answer with a target: {error}", code="bad_answer") from None


class Connection:
    """The shared connection to a host.

    The ssh that rsync starts uses this connection, and never logs in by itself.
    """

    def __init__(self, target: Target, request: Request) -> None:
        self.target = target
        self._request = request
        self._path = target.control_path
        self._mark = ""

    def open(self, within: float = 0.0) -> None:
        """Open the connection if it is not open. Try this for `within` seconds.

        Raises the errors of trainsh_base.remote.ssh.
        """
        if self._path != self.target.control_path and master_pid(self.path) is None:
            self._path = self.target.control_path
        deadline = Deadline.after(within) if within else None
        ssh.ensure_master(self.target, self._request, deadline=deadline)

    def remote(self, program: str = "", *, plain: bool = False) -> Remote:
        """How rsync uses this connection. `program` is the value of --rsync-path.

        `plain` is for openrsync, which splits `-e` at every space and knows no quotes. The host's own options are
        then left out, which is possible because the connection is open already.
        """
        words = self.words("")[:-1]
        host = host_word(words[-1])
        if plain:
            return Remote(" ".join([words[0], "-S", self.path, *CLIENT]), host, program)
        return self.dressed(words[:-1], host, program)

    def dressed(self, shell: list[str], host: str, program: str) -> Remote:
        """The Remote for `host` with the remote shell `shell`.

        After `be_quiet` was called, the remote shell drops the output of login files.
        """
        if self._mark:
            return Remote(shell_option(quiet(shell, self._mark)), host, marked(program, self._mark))
        return Remote(shell_option(shell), host, program)

    @property
    def path(self) -> str:
        """The socket of the connection in use."""
        return self._path or ""

    def words(self, command: str) -> list[str]:
        """The argv that runs `command` on the host. The host's login shell parses `command`."""
        return self.target.remote_argv(command, control_path=self._path)

    @property
    def is_quiet(self) -> bool:
        """Whether the output of login files is dropped."""
        return bool(self._mark)

    def be_quiet(self) -> None:
        """From the next attempt on, drop what login files print before rsync starts."""
        self._mark = f"trainsh-{os.urandom(6).hex()}"

    def find_room(self) -> None:
        """Wait for a free channel, because the host has refused one.

        If the host allows another connection, open one instead.
        """
        child = ssh.start(self.target, "true", bulk=True, request=self._request, deadline=Deadline.after(PATIENCE))
        child.end()
        child.wait()
        os.close(child.stdout)
        self._path = child.argv[child.argv.index("-S") + 1]

    def run(self, command: str, limit: float | None = None, *, login: float | None = None) -> str:
        """Run a command on the host to its end. Return its output, whatever its exit status is.

        Raises TimedOut if the login takes longer than `login` (default: LOGIN_LIMIT) seconds, or the command longer
        than `limit` seconds. If `limit` is None, LOGIN_LIMIT is the limit of the command too. Raises RemoteError
        with code "shell" if the account cannot run commands.
        """
        limit = limit or LOGIN_LIMIT
        child = ssh.start(self.target, command, request=self._request, limit=login or LOGIN_LIMIT)
        child.close_stdin()
        timer = threading.Timer(limit, child.end)
        timer.daemon = True
        timer.start()
        with os.fdopen(child.stdout, "rb") as answer:
            text = answer.read()
        late = not timer.is_alive()
        timer.cancel()
        child.wait()
        if late:
            raise TimedOut(
                f"{self.target.label}: a command took longer than {format_duration(limit)}", code="slow_host"
            )
        return os.fsdecode(text).rstrip("\n")

    def check_login(self, limit: float | None = None) -> None:
        """Raise an error if the account cannot run commands, or if a login takes longer than `limit` seconds.

        A lost connection raises no error here.
        """
        if master_pid(self.path) is None:
            return
        try:
            self.run("true", login=limit)
        except TrainError as error:
            if error.code == "shell" or isinstance(error, TimedOut):
                raise


def rsync_at(connection: Connection) -> Rsync:
    """The rsync on a host. Raises MissingProgram when the host has no rsync."""
    found = read_version("rsync", connection.run("rsync --version"))
    if found is None:
        raise MissingProgram(
            f"rsync is not installed on {connection.target.label}",
            f"install it there, for example: {installing(connection.target.name)}", data={"program": "rsync"},
        )  # fmt: skip
    return found


def quiet(shell: list[str], mark: str) -> list[str]:
    """A remote shell that drops all output up to the first line that ends with the text `mark`, and this
    line too.
    """
    return argv("pass_from_mark", mark, *shell)


def marked(program: str, mark: str) -> str:
    """An `--rsync-path` that prints the text `mark` before it starts rsync."""
    return f"printf '%s\\n' {mark}; {program or 'rsync'}"


def shell_option(words: list[str]) -> str:
    """The value of `-e` for the shell `words`.

    rsync splits this value at spaces and reads quotes in it. A quote inside quotes must be doubled.
    """
    return " ".join("'" + word.replace("'", "''") + "'" if _QUOTED & set(word) else word or "''" for word in words)


def host_word(destination: str) -> str:
    """The destination of ssh in the form that rsync needs, where an IPv6 address has brackets."""
    user, at, host = destination.rpartition("@")
    return f"{user}{at}[{host}]" if ":" in host and not host.startswith("[") else destination
