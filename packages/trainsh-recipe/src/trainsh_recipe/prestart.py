"""Starts tools before this process loads its modules, and keeps them: name -> running `serve`."""

import os
import sys

from trainsh_base.system import spawn

# The commands that run a recipe. Each of them needs the tools dsl and tmux before anything else.
RUNS = ("run", "exec", "resume")

# This environment variable gives a newly started runner the file descriptor of the job's lock.
LOCK_VARIABLE = "TRAINSH_RUNNER_LOCK"

# The characters of a host's name.
NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")

children: dict[str, spawn.Child] = {}
plan: tuple[str, bytes] = ("", b"")  # the text of `exec` and its kept plan; both are empty if none is kept
lock_handle = -1


def start() -> None:
    """Start the tools that the command line needs, while this process still loads its own modules."""
    _keep_lock()
    argv = sys.argv[1:]
    if not argv or argv[0] not in RUNS or {"--help", "-h"} & set(argv):
        return
    # train-tmux needs the longest time until the first step can run, so it is started first.
    _start("tmux")
    if "tmux" in children:
        os.write(children["tmux"].stdin, request(first_host(argv)))
    if argv[0] != "exec" or not _find_plan(argv):
        _start("dsl")


def _start(name: str) -> None:
    path = spawn.tool_path(name)
    if path is not None:
        children[name] = spawn.start([path, "serve"], env=dict(os.environ))


def _find_plan(argv: list[str]) -> bool:
    global plan  # noqa: PLW0603 - one process, one command line
    from trainsh_recipe import kept_plan  # noqa: PLC0415 - for `exec` only, and after train-tmux was started

    text = kept_plan.text_of(argv)
    found = kept_plan.find(text)
    if found is not None:
        plan = (text, found)
    return found is not None


def request(host: str) -> bytes:
    """Return the request that lets train-tmux prepare for `host` while this process starts.

    Its answer is not used.
    """
    return b'{"jsonrpc":"2.0","id":"early","method":"prepare","params":{"host":"%s"}}\n' % host.encode()


def first_host(argv: list[str]) -> str:
    """Return the host that a command line uses first: the first `@NAME` in the text of `exec`, else this machine.

    This is a guess. A wrong guess does no harm.
    """
    if argv[0] != "exec":
        return "local"
    name = ""
    for letter in next((word.partition("@")[2] for word in argv if word.lstrip().startswith("@")), ""):
        if letter not in NAME:
            break
        name += letter
    return name or "local"


def _keep_lock() -> None:
    """Take over the lock from the parent process, and let no child inherit it.

    A tool that inherited the lock would keep the job locked.
    """
    global lock_handle  # noqa: PLW0603 - one process, one lock
    number = os.environ.pop(LOCK_VARIABLE, "")
    if number.isdigit():
        try:
            os.set_inheritable(int(number), False)
        except OSError:
            return
        lock_handle = int(number)


def take(name: str) -> spawn.Child | None:
    """Return the tool `name` if it was started here and was not taken before; else None."""
    return children.pop(name, None)
