"""Starts tools before this process loads its modules, and keeps them: name -> running `serve`."""

import os
import sys
import time

from trainsh_base.system import spawn

# The commands that run a recipe. Each of them needs the tools dsl and tmux before anything else.
RUNS = ("run", "exec", "resume")
DEBUG = {"-v", "--verbose", "--debug"}

# This environment variable gives a newly started runner the file descriptor of the job's lock.
LOCK_VARIABLE = "TRAINSH_RUNNER_LOCK"
# This one gives it the file descriptor of a pipe, which holds the secrets that were looked up.
SECRETS_VARIABLE = "TRAINSH_RUNNER_SECRETS"

# The characters of a host's name.
NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")

children: dict[str, spawn.Child] = {}
loaded: list[str] = []  # the tools for which no spare was there (see leave_spares)
plan: tuple[str, bytes] = ("", b"")  # the text of `exec` and its kept plan; both are empty if none is kept
lock_handle = -1
secrets_handle = -1
parsing = ""  # the text of `exec` that train-dsl was asked to parse, or "" if it was not asked yet
job_id = ""  # the id of the job of this `exec`, if a session was opened for it ahead


def start() -> None:
    """Start the tools that the command line needs, while this process still loads its own modules."""
    _keep_lock()
    argv = sys.argv[1:]
    if not argv or argv[0] not in RUNS or {"--help", "-h"} & set(argv):
        return
    if DEBUG & set(argv):
        os.environ["TRAINSH_DEBUG"] = "1"  # as the face does later, when the tools run already
    try:
        spawn.open_standard_files()
        _start_tools(argv)
    except OSError:  # too many open files or processes: the run starts the tools later, and tells the reason
        return


def _start_tools(argv: list[str]) -> None:
    # train-tmux needs the longest time until the first step can run, so it is started first.
    elsewhere = argv[0] == "exec" and _elsewhere(argv)
    _start("tmux", spare=elsewhere, first=request(first_host(argv), _job_of_session(argv) if elsewhere else ""))
    if argv[0] != "exec":
        _start("dsl", spare=False)
    elif not _find_plan(argv):
        _start("dsl", spare=True, first=_parse_request(argv))


def _start(name: str, *, spare: bool, first: bytes = b"") -> None:
    """Start a tool and send it the request `first`. With `spare`, use a spare if one waits."""
    path = spawn.tool_path(name)
    if path is None:
        return
    child = _spare(path, first) if spare else None
    if child is None:
        child = spawn.start([path, "serve"], env=dict(os.environ))
        os.write(child.stdin, first)
        if spare:
            loaded.append(path)
    children[name] = child


def _spare(path: str, first: bytes) -> spawn.Child | None:
    from trainsh_base.tool.spares.taking import take  # noqa: PLC0415 - for `exec` only

    try:
        child = take(path)
        if child is not None:
            os.write(child.stdin, first)
    except Exception:  # there is no folder for sockets, or the spare has ended
        return None
    return child


def leave_spares(seconds: float) -> None:
    """Leave spares, for the next `exec`, of the tools for which this `exec` found none. They wait for `seconds`."""
    if not loaded or seconds <= 0:
        return
    from trainsh_base.errors import TrainError  # noqa: PLC0415 - was loaded meanwhile
    from trainsh_base.tool.spares.taking import leave  # noqa: PLC0415 - for `exec` only

    for path in loaded:
        try:
            leave(path, seconds)
        except TrainError:  # there is no folder for sockets
            return


def _find_plan(argv: list[str]) -> bool:
    global plan  # noqa: PLW0603 - one process, one command line
    from trainsh_recipe import kept_plan  # noqa: PLC0415 - for `exec` only, and after train-tmux was started

    text = kept_plan.text_of(argv)
    found = kept_plan.find(text)
    if found is not None:
        plan = (text, found)
    return found is not None


def request(host: str, job: str = "") -> bytes:
    """Return the request that lets train-tmux prepare for `host` while this process starts.

    With `job`, train-tmux also opens the session of this job on `host`, which has the name of the host, as the plan
    of an `exec` does. The answer is not used. If the job opens no such session, train-tmux closes it again.
    """
    session = f',"session":"{host}","job":"{job}"' if job else ""
    text = f'{{"jsonrpc":"2.0","id":"early","method":"prepare","params":{{"host":"{host}"{session}}}}}\n'
    return text.encode()


def _parse_request(argv: list[str]) -> bytes:
    """Return the request, with the id 0, that lets train-dsl parse the text of an `exec`.

    Return b"" if the request needs more than the text, or a JSON encoder.
    """
    global parsing  # noqa: PLW0603 - one process, one command line
    from trainsh_recipe import kept_plan  # noqa: PLC0415 - was loaded to find the plan

    text = kept_plan.text_of(argv)
    plain = text.replace("\n", "")
    if not text or "->" in text or len(text) > kept_plan.LONGEST or not (plain.isascii() and plain.isprintable()):
        return b""
    parsing = text
    for letter, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        text = text.replace(letter, escaped)
    params = f'{{"name":"exec","given":[],"exec":true,"text":"{text}"}}'
    return f'{{"jsonrpc":"2.0","id":0,"method":"parse","params":{params}}}\n'.encode()


def new_id() -> str:
    """Return an id for a job: the time in UTC to the millisecond, and four random hexadecimal digits."""
    now = time.time()
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{int(now % 1 * 1000):03d}-{os.urandom(2).hex()}"


def _job_of_session(argv: list[str]) -> str:
    """Return an id for the job of an `exec` whose first line runs a command, else "". The job will have this id."""
    global job_id  # noqa: PLW0603 - one process, one job
    line = next((word.lstrip() for word in argv if word.lstrip().startswith("@")), "").partition("\n")[0]
    host, _, rest = line[1:].partition(" ")
    if host == first_host(argv) and ">" in rest:
        job_id = new_id()
    return job_id


def _elsewhere(argv: list[str]) -> bool:
    """Return whether all hosts of an `exec` are other machines, as far as this can be seen without loading more.

    A session on this machine must inherit limits and control groups from this process, and not from a spare.
    """
    from trainsh_base.remote.resolved.kept_path import kept_path  # noqa: PLC0415 - for `exec` only

    try:
        names = [name for word in argv[1:] for name in hosts_in(word)]
        return bool(names) and all(os.path.exists(kept_path(name)) for name in names)  # noqa: PTH110
    except Exception:  # there is no folder for sockets
        return False


def hosts_in(text: str) -> list[str]:
    """Return each name that follows an `@` in `text`."""
    names = []
    for part in text.split("@")[1:]:
        name = ""
        for letter in part:
            if letter not in NAME:
                break
            name += letter
        names.append(name)
    return names


def first_host(argv: list[str]) -> str:
    """Return the host that a command line uses first: the first `@NAME` in the text of `exec`, else this machine.

    This is a guess. A wrong guess does no harm.
    """
    if argv[0] != "exec":
        return "local"
    first = next((word for word in argv if word.lstrip().startswith("@")), "@")
    return hosts_in(first)[0] or "local"


def _keep_lock() -> None:
    """Take over the lock and the secrets from the parent process, and let no child inherit them.

    A tool that inherited the lock would keep the job locked.
    """
    global lock_handle, secrets_handle  # noqa: PLW0603 - one process, one lock
    lock_handle = _inherited(LOCK_VARIABLE)
    secrets_handle = _inherited(SECRETS_VARIABLE)


def _inherited(variable: str) -> int:
    """Return the file descriptor that the environment names, or -1. No child inherits it."""
    number = os.environ.pop(variable, "")
    if not number.isdigit():
        return -1
    try:
        os.set_inheritable(int(number), False)
    except OSError:
        return -1
    return int(number)


def take(name: str) -> spawn.Child | None:
    """Return the tool `name` if it was started here, was not taken before, and serves us; else None."""
    child = children.pop(name, None)
    return child if child is not None and child.confirm() else None
