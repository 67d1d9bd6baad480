"""Hands a job to a runner in the background."""

import os

from trainsh_base.errors import TrainError
from trainsh_base.system import spawn
from trainsh_recipe import prestart
from trainsh_recipe.engine.job.held_job import HeldJob


def give(begun: HeldJob) -> int:
    """Start a background runner that takes over the job's lock, and return the runner's process id.

    The runner outlives this process and its terminal. Its own messages go to `runner.log` in the job's folder.
    """
    program = spawn.tool_path("recipe")
    if program is None:
        raise TrainError("there is no train-recipe to run in the background", code="no_tool")
    begun.journal.close()
    os.set_inheritable(begun.lock.handle, True)
    log = os.open(f"{begun.job.folder}/runner.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    quiet = os.open(os.devnull, os.O_RDONLY)
    env = {**os.environ, prestart.LOCK_VARIABLE: str(begun.lock.handle)}
    actions = [(os.POSIX_SPAWN_DUP2, quiet, 0), (os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    argv = [program, "resume", begun.job.id, "--no-visual"]
    pid = os.posix_spawn(program, argv, env, file_actions=actions, setsid=True)
    os.close(log)
    os.close(quiet)
    begun.lock.release()
    return pid
