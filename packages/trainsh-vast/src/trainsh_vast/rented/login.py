"""Runs one command on an instance, over a new ssh connection that asks no questions."""

import os
import subprocess

from trainsh_base.remote.target import Target

LOGIN = 10  # seconds within which ssh must connect
ANSWER = 60.0  # seconds within which the command must end


def argv(target: Target, command: str, *options: str) -> list[str]:
    """The argv of ssh, with `options` before the destination."""
    words = [target.argv[0], "-o", "BatchMode=yes", "-o", f"ConnectTimeout={LOGIN}", "-o", "ControlPath=none"]
    return [*words, "-o", "LogLevel=ERROR", "-T", *options, *target.argv[1:], command]


def environment() -> dict[str, str]:
    """The environment for ssh when it must not ask questions."""
    return {**os.environ, "SSH_ASKPASS_REQUIRE": "never"}


def output(target: Target, command: str, given: bytes = b"", timeout: float = ANSWER) -> tuple[str, str]:
    """Return (the output of a command, the reason of its failure).

    If the command succeeds, the reason is "". If it fails, the output is "".
    """
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
    """Run a command with `given` on its standard input.

    Return "" if it succeeds, else the reason of its failure.
    """
    return output(target, command, given, timeout)[1]
