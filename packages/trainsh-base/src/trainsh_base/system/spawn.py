"""Starts long-lived child processes (servers, shells) without a shell, and ends them when this process exits.

This module imports little, because a recipe run starts its tools before it has loaded anything else.
"""

import _signal  # type: ignore[import-not-found] # importing `signal` costs 2 ms; this one is built in
import _thread
import os
import sys

# The numbers of the signals as POSIX defines them. To import `signal` for their names would cost 2 ms.
SIGHUP, SIGINT, SIGPIPE, SIGTERM = 1, 2, 13, 15
ENDINGS = (SIGHUP, SIGINT, SIGTERM)
UNKNOWN = 255  # the status of a child if another call of waitpid took the real status; UNKNOWN never means success

_children: dict[int, "Child"] = {}


class Child:
    """A running child: its pid, and our ends of its pipes."""

    def __init__(self, pid: int, stdin: int, stdout: int, argv: list[str]) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout = stdout
        self.argv = argv
        self.status: int | None = None
        self._collecting = _thread.allocate_lock()

    def poll(self) -> int | None:
        """Return the exit status if the child has exited, else None.

        If a signal ended the child, the status is the signal's number with a minus sign.
        """
        # if the lock is taken, another thread waits for the child
        if self.status is None and self._collecting.acquire(False):
            try:
                self._collect(os.WNOHANG)
            finally:
                self._collecting.release()
        return self.status

    def wait(self) -> int:
        """Wait for the child to exit. Return its exit status, or UNKNOWN if another waitpid took the status."""
        with self._collecting:
            self._collect(0)
        return UNKNOWN if self.status is None else self.status

    def _collect(self, flags: int) -> None:
        """Call waitpid.

        Only this method calls waitpid, and only with the lock: if two threads called it, one would get no status.
        """
        if self.status is not None:
            return
        try:
            pid, code = os.waitpid(self.pid, flags)
        except ChildProcessError:
            self.status = UNKNOWN
        else:
            self.status = os.waitstatus_to_exitcode(code) if pid else None
        if self.status is not None:
            forget(self)

    def confirm(self) -> bool:
        """Return whether the process serves us. A new process always does."""
        return True

    def close_stdin(self) -> None:
        """Close the child's stdin, which makes a `serve` or a shell exit."""
        if self.stdin >= 0:
            handle, self.stdin = self.stdin, -1
            try:  # noqa: SIM105 - contextlib costs 3 ms
                os.close(handle)
            except OSError:
                pass

    def end(self, signal_number: int = SIGTERM) -> None:
        """Close the child's stdin and send it a signal."""
        self.close_stdin()
        if self.poll() is None:
            try:  # noqa: SIM105
                os.kill(self.pid, signal_number)
            except ProcessLookupError:
                pass


class Pipes:
    """Two pipes for a process: `child_in` and `child_out` are its ends, `stdin` and `stdout` are ours.

    As a context, it closes the process's ends at the end of the block, and ours too if the block fails.
    """

    def __init__(self) -> None:
        self.child_in, self.stdin = os.pipe()
        self.stdout, self.child_out = os.pipe()

    def __enter__(self) -> "Pipes":
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        os.close(self.child_in)
        os.close(self.child_out)
        if failed:
            os.close(self.stdin)
            os.close(self.stdout)


def start(
    argv: list[str], *, env: dict[str, str] | None = None, own_session: bool = True, stderr: int | None = None,
    events: int | None = None,
) -> Child:  # fmt: skip
    """Start `argv` with pipes on stdin and stdout.

    The child's stderr is the open file `stderr`, or the stderr of this process if `stderr` is None. The open file
    `events` becomes the child's descriptor 3.

    `own_session` puts the child into a session of its own, so that a Ctrl-C at our terminal does not reach it.
    Raises FileNotFoundError when there is no such program.
    """
    if "TRAINSH_DEBUG" in os.environ:
        show_argv(argv)
    program = argv[0] if "/" in argv[0] else _on_path(argv[0])
    # If a SIGTERM came between the start of the child and its entry in the list, the child would be left running.
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, ENDINGS)
    try:
        with Pipes() as pipes:
            actions = [(os.POSIX_SPAWN_DUP2, pipes.child_in, 0), (os.POSIX_SPAWN_DUP2, pipes.child_out, 1)]
            if stderr is not None:
                actions.append((os.POSIX_SPAWN_DUP2, stderr, 2))
            if events is not None:
                actions.append((os.POSIX_SPAWN_DUP2, events, 3))
            pid = os.posix_spawn(
                program, argv, os.environ if env is None else env, file_actions=actions,
                setsid=own_session, setsigdef=[SIGPIPE, SIGINT], setsigmask=mask,
            )  # fmt: skip
            child = Child(pid, pipes.stdin, pipes.stdout, argv)
            remember(child)
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
    return child


def open_standard_files() -> None:
    """Open each standard file that is closed on /dev/null.

    If it stayed closed, the next file or pipe that is opened would get its descriptor.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            handle = os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
            if handle != number:
                os.dup2(handle, number)


def end_at_interrupt(number: int = SIGINT, _frame: object = None) -> None:
    """Handle a Ctrl-C that no other code can handle: end the process at once, with the status for a shell."""
    os._exit(128 + number)


def interrupts_end_at_once() -> None:
    """Let Ctrl-C call `end_at_interrupt`, unless Ctrl-C is ignored."""
    if _signal.getsignal(SIGINT) is _signal.default_int_handler:
        _signal.signal(SIGINT, end_at_interrupt)


def in_folder(cwd: str, argv: list[str]) -> list[str]:
    """Return an argv that runs `argv` in the folder `cwd`. If `cwd` is empty, `argv` runs in the current folder.

    This is needed because a process that serves several jobs must not change its own folder.
    """
    return ["/bin/sh", "-c", 'cd -- "$1" && shift && exec "$@"', "sh", cwd, *argv] if cwd else argv


def show_argv(argv: list[str], note: str = "") -> None:
    """Print the argv of a program that is about to run on stderr, quoted for a shell, and then `note`. This is for
    `--debug`.

    No argv contains a secret.
    """
    import shlex  # noqa: PLC0415 - only when it was asked for

    sys.stderr.write(f"+ {shlex.join(map(str, argv))}{note}\n")
    sys.stderr.flush()


def _on_path(program: str) -> str:
    for folder in os.get_exec_path():
        path = os.path.join(folder, program)  # noqa: PTH118 - pathlib is not loaded here
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
            return path
    raise FileNotFoundError(program)


def remember(child: Child) -> None:
    """Let `end_all` end this process too."""
    _children[child.pid] = child


def forget(child: Child) -> None:
    """Undo `remember`: the process has exited."""
    _children.pop(child.pid, None)


def end_all() -> None:
    """End every child that is still running. This is called when this process exits."""
    for child in list(_children.values()):
        child.end()


def tool_path(name: str) -> str | None:
    """Find the executable of the tool `name`: beside the running program, beside its Python, then on PATH."""
    program = f"train-{name}"
    beside = [os.path.dirname(os.path.abspath(sys.argv[0])), os.path.dirname(sys.executable)]  # noqa: PTH100, PTH120
    for folder in [*beside, *os.get_exec_path()]:
        path = os.path.join(folder, program)  # noqa: PTH118
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
            return path
    return None
