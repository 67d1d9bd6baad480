"""Tools that are started before this process loads its modules: name -> running `serve`."""

import os
import sys

from trainsh_base.system import spawn

# The commands that run a recipe; each needs these two tools before anything else.
RUNS = ("run", "exec", "resume")
TOOLS = ("dsl", "tmux")

# This environment variable gives a newly started runner the file descriptor of the job's lock.
LOCK_VARIABLE = "TRAINSH_RUNNER_LOCK"

# A request without effect, except that train-tmux connects to this machine, which most recipes use.
WARM = (
    b'{"jsonrpc":"2.0","id":"early","method":"run","params":{"command":"","session":"none","step":"none",'
    b'"only_ask":true}}\n'
)

children: dict[str, spawn.Child] = {}
lock_handle = -1


def start() -> None:
    """Start the tools that the command line needs, in parallel with our own start-up."""
    _keep_lock()
    argv = sys.argv[1:]
    if not argv or argv[0] not in RUNS or {"--help", "-h"} & set(argv):
        return
    for name in TOOLS:
        path = spawn.tool_path(name)
        if path is not None:
            children[name] = spawn.start([path, "serve"], env=dict(os.environ))
    if "tmux" in children:
        os.write(children["tmux"].stdin, WARM)


def _keep_lock() -> None:
    """Take a handed-over lock, and let no child inherit it: a tool that held it would keep the job locked."""
    global lock_handle  # noqa: PLW0603 - one process, one lock
    number = os.environ.pop(LOCK_VARIABLE, "")
    if number.isdigit():
        try:
            os.set_inheritable(int(number), False)
        except OSError:
            return
        lock_handle = int(number)


def take(name: str) -> spawn.Child | None:
    """The tool `name`, if it was started here and is not taken yet; else None."""
    return children.pop(name, None)
