"""One command on an instance, over an ssh connection of its own that asks nothing."""

import os
import subprocess

from trainsh_base.remote.target import Target

LOGIN = 10  # seconds to connect
ANSWER = 60.0  # seconds for the command


def argv(target: Target, command: str, *options: str) -> list[str]:
    """The argv of ssh, with `options` before the destination."""
    words = [target.argv[0], "-o", "BatchMode=yes", "-o", f"ConnectTimeout={LOGIN}", "-o", "ControlPath=none"]
    return [*words, "-o", "LogLevel=ERROR", "-T", *options, *target.argv[1:], command]


def environment() -> dict[str, str]:
    """The environment for ssh when it must not ask questions."""
    return {**os.environ, "SSH_ASKPASS_REQUIRE": "never"}


def output(target: Target, command: str, given: bytes = b"", timeout: float = ANSWER) -> tuple[str, str]:
    """What a command prints, and an empty text; or an empty text, and why it failed."""
    try:
        done = subprocess.run(
            argv(target, command), input=given, capture_output=True, check=False, timeout=timeout, env=environment()
        )
    except subprocess.TimeoutExpired:
        return "", "no answer"
    except FileNotFoundError:
        return "", "there is no ssh on this machine"
    said = done.stderr.decode(errors="replace").strip().splitlines()
    problem = "" if done.returncode == 0 else (said[-1] if said else f"exit {done.returncode}")
    return ("" if problem else done.stdout.decode(errors="replace")), problem


def run(target: Target, command: str, given: bytes = b"", timeout: float = ANSWER) -> str:
    """Run a command with `given` on its standard input. Returns an empty text when it works, else why not."""
    return output(target, command, given, timeout)[1]
