"""Request bodies, as text to be run on a host: pure functions of their parameters.

A body is the call of a function of `sh/` with quoted arguments. On the host `$r` is the root of train's files. The
docstrings of these functions tell what the host does and replies when it runs the body.
"""

from trainsh_base.remote.channel import quote
from trainsh_tmux import names
from trainsh_tmux.remote import library
from trainsh_tmux.remote.library import words


def at(job: str, name: str) -> tuple[str, str]:
    """Return the first two arguments of most functions: the session's tmux server and its name."""
    return names.server(job), names.session_name(name)


def watch(job: str | None, name: str, number: int, kind: str, arguments: list[str], queue: str) -> str:
    """Add a wait to the watcher's folder `queue`; starts the watcher if it does not run."""
    keys = ("__w_b", "__w_c", "__w_d")
    folder = "" if job is None else names.folder(job, name)
    settings = [f"__w_kind={kind}", f"__w_a={folder}"]
    settings += [f"{key}={quote(argument)}" for key, argument in zip(keys, arguments, strict=False)]
    return words("wait_for", number, queue, " ".join(settings))


def unwatch(number: int, queue: str) -> str:
    """Remove a wait from the watcher's folder."""
    return words("wait_no_more", number, queue)


def log_end(job: str, name: str) -> str:
    """The host replies `end OFFSET ALIVE STATE`, or `none` if there is no such session."""
    return words("session_log_end", *at(job, name))


def follow(root: str, job: str, name: str, offset: int) -> str:
    """Return commands for a separate shell: it prints `at OFFSET KEY`, then the log from OFFSET on (follow.sh)."""
    server, session = at(job, name)
    settings = f"r={quote(root)} server={quote(server)} name={quote(session)} offset={offset}"
    return f"{settings}\n{library.text('follow.sh')}"


def listing() -> str:
    """The host replies `session SERVER NAME STATE ALIVE ATTACHED AGE SECONDS STEP`, and `command TEXT` for a step.

    One reply for each session's folder on the host. AGE is the session's age, SECONDS how long its step has run.
    """
    return words("session_list")


def holds(job: str, sessions: list[str], steps: list[str]) -> str:
    """The host replies a line for each session and each step.

    `session NAME TOKEN running|released|gone COVERS NAMES`, `step ID running|ended|lost|never STATUS WHY`. COVERS
    is the last step that the session's snapshot includes, `-` if none; NAMES are what the snapshot leaves out.
    """
    return words("session_holds", names.server(job), *map(names.session_name, sessions), "/", *steps)
