"""Functions that return the body of a request. A body is a text that a host runs.

The functions have no other effect. A body calls a shell function of `sh/` with quoted arguments. On the host, `$r`
is the root of train's files. The docstring of a function here tells what the host does and what it replies when it
runs the body.
"""

from trainsh_base.remote.channel import quote
from trainsh_tmux import names
from trainsh_tmux.remote import library
from trainsh_tmux.remote.library import words


def at(job: str, name: str) -> tuple[str, str]:
    """Return the session's tmux server and the session's name, the first arguments of most shell functions."""
    return names.server(job), names.session_name(name)


def watch(job: str | None, name: str, number: int, kind: str, arguments: list[str], queue: str) -> str:
    """Add a wait to the folder `queue`.

    If the program that checks the waits in this folder does not run, start it.
    """
    keys = ("__w_b", "__w_c", "__w_d")
    folder = "" if job is None else names.folder(job, name)
    settings = [f"__w_kind={kind}", f"__w_a={folder}"]
    settings += [f"{key}={quote(argument)}" for key, argument in zip(keys, arguments, strict=False)]
    return words("wait_for", number, queue, " ".join(settings))


def unwatch(number: int, queue: str) -> str:
    """Remove a wait from the folder `queue`."""
    return words("wait_no_more", number, queue)


def log_end(job: str, name: str) -> str:
    """The host replies `end OFFSET ALIVE STATE`.

    If it has no such session, it replies `elsewhere NODE` or `none`. `elsewhere NODE` means that another machine
    with the same home folder, NODE, has a session of this name.
    """
    return words("session_log_end", *at(job, name))


def running(job: str, name: str) -> str:
    """The host replies `runs PID COMMAND` for each process that the session's shell has started."""
    return words("session_running", *at(job, name))


def follow(root: str, job: str, name: str, offset: int) -> str:
    """Return commands for a separate shell. They run follow.sh, which prints `at OFFSET KEY` and then the log."""
    server, session = at(job, name)
    settings = f"r={quote(root)} server={quote(server)} name={quote(session)} offset={offset}"
    return f"{settings}\n{library.text('follow.sh')}"


def listing() -> str:
    """For each session's folder, the host replies `session SERVER NAME STATE ALIVE ATTACHED AGE SECONDS STEP`.

    AGE is the age of the session. SECONDS is how long its step has run. If a step runs, a line `command TEXT`
    follows.
    """
    return words("session_list")


def holds(job: str, sessions: list[str], steps: list[str]) -> str:
    """The host replies with a line for each session and each step.

    For a session it replies `session NAME TOKEN running|released|gone COVERS NAMES`. COVERS is the last step that
    had ended when the session's snapshot was taken, or `-` if the session has no snapshot with a step. NAMES lists
    what the snapshot leaves out. For a step it replies `step ID running|ended|lost|never STATUS WHY`.
    """
    return words("session_holds", names.server(job), *map(names.session_name, sessions), "/", *steps)
