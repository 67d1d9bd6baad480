"""Hands a job to a runner in the background."""

import os

import msgspec

from trainsh_base.errors import TrainError
from trainsh_base.system import spawn
from trainsh_recipe import prestart
from trainsh_recipe.engine.job.held_job import HeldJob
from trainsh_recipe.engine.values import Secrets

PIPE = 32768  # bytes that fit into a pipe that nobody reads yet, on every system


def give(begun: HeldJob) -> int:
    """Start a background runner that takes over the job's lock, and return the runner's process id.

    It is also given the secrets that were looked up.

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
    secrets = _piped(begun.secrets)
    if secrets >= 0:
        env[prestart.SECRETS_VARIABLE] = str(secrets)
    actions = [(os.POSIX_SPAWN_DUP2, quiet, 0), (os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    argv = [program, "resume", begun.job.id, "--no-visual"]
    pid = os.posix_spawn(program, argv, env, file_actions=actions, setsid=True)
    for handle in (log, quiet, secrets):
        if handle >= 0:
            os.close(handle)
    begun.lock.release()
    return pid


def _piped(secrets: Secrets | None) -> int:
    """Return the reading end of a pipe that holds the secrets, or -1 if there are none.

    Secrets that are too long for a pipe are left out. The runner looks them up itself.
    """
    known = secrets.known() if secrets is not None else {}
    data = msgspec.json.encode(known)
    if not known or len(data) > PIPE:
        return -1
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    os.set_inheritable(reading, True)
    return reading


def handed() -> Secrets | None:
    """Return the secrets that the parent process handed over, or None."""
    handle, prestart.secrets_handle = prestart.secrets_handle, -1
    if handle < 0:
        return None
    with os.fdopen(handle, "rb") as pipe:
        values = msgspec.json.decode(pipe.read(), type=dict[str, str])
    return Secrets.of(values)
