"""The tools that were started before anything else was loaded: name -> running `serve`."""

import os
import sys

from trainsh_base.system import spawn

# The commands that read a recipe and run it: each needs these two before it can do anything.
RUNS = ("run", "exec", "resume")
TOOLS = ("dsl", "tmux")

# Names the descriptor of a job's lock that a process hands on to the runner it starts.
LOCK_VARIABLE = "TRAINSH_RUNNER_LOCK"

# A question that changes nothing: to answer it, train-tmux connects to this machine, which most recipes then use.
WARM = (
    b'{"jsonrpc":"2.0","id":"early","method":"run","params":{"command":"","session":"none","step":"none",'
    b'"only_ask":true}}\n'
)

children: dict[str, spawn.Child] = {}
lock_handle = -1


def start() -> None:
    """Start the tools that the command line is about to need, side by side with our own start-up."""
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
    """A lock that was handed on is ours alone: a tool that had it too would hold the job beyond our end."""
    global lock_handle  # noqa: PLW0603 - one process, one lock
    number = os.environ.pop(LOCK_VARIABLE, "")
    if number.isdigit():
        try:
            os.set_inheritable(int(number), False)
        except OSError:
            return
        lock_handle = int(number)


def take(name: str) -> spawn.Child | None:
    """The tool `name`, when it was started here and not taken yet."""
    return children.pop(name, None)
