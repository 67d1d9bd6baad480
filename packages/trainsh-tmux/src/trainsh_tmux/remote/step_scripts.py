"""The bodies of requests about one step (see scripts.py)."""

from trainsh_tmux.remote.library import words
from trainsh_tmux.remote.scripts import at

# The most bytes of `echo` in the line that is written to the FIFO. The whole line must be shorter than PIPE_BUF (at
# least 512 bytes), because only such a short write is never mixed with another write.
ECHO_IN_LINE = 300
GRACE = 30


def hand_step(
    job: str, name: str, step: str, command: str, *, mode: str, echo: str, limit: float | None, grace: float = GRACE
) -> str | None:
    """Start a step in the fast way.

    If that is not possible, the host replies `slow`, and start_step must be sent. The fast way takes less time on
    the host than start_step. Returns None if the echo is too long for the fast way.
    """
    line, head = _shown_in_line(step, mode, echo, limit, grace)
    return None if head else words("step_hand", *at(job, name), step, command, line)


def start_step(
    job: str, name: str, step: str, command: str, *, mode: str = "run", echo: str = "", limit: float | None = None,
    grace: float = GRACE, secrets: dict[str, str] | None = None, taken: tuple[str, ...] = (),
    replaces: tuple[str, ...] = (), only_ask: bool = False,
) -> str:  # fmt: skip
    """Start a step. With `only_ask`, only ask whether the step was started.

    Parameters: `taken` names steps with secrets whose captured output has been read; the host removes that output.
    `replaces` names earlier attempts of the step; from now on, waits ignore how these attempts ended.

    If the host sends the step to the session's shell, the host replies nothing, because the log will show that the
    step begins. If the step was started before, the host replies `again [STATUS [WHY]]` or `again lost [WHY]`.
    Otherwise it replies why the step was not started: `full`, `released`, `starting`, `gone STATE` or `elsewhere
    NODE`. With `only_ask` it replies `again ...` as above, `elsewhere NODE` or `never`.
    """
    if only_ask:
        return words("step_ask", *at(job, name), step)
    line, head = _shown_in_line(step, mode, echo, limit, grace)
    rest = [*(("--taken", *taken) if taken else ()), *(("--replaces", *replaces) if replaces else ())]
    return words("step_start", *at(job, name), step, command, line, head, secret_lines(secrets or {}), *rest)


def _shown_in_line(step: str, mode: str, echo: str, limit: float | None, grace: float) -> tuple[str, str]:
    """Return the line to write to the FIFO, and the text for the pane. The text is "" if it is part of the line."""
    text = shown(echo)
    line = f"run {step} {mode} {'-' if limit is None else f'{limit:g}:{round(grace)}'} "
    if text and b"\n" not in text and len(text) <= ECHO_IN_LINE:
        return line + text.decode(), ""
    return line, text.decode() or " "


def shown(echo: str) -> bytes:
    """Return a command as the pane shows it: its first lines, without control characters."""
    lines = echo.rstrip("\n").split("\n")
    kept = lines[:12] + ([f"... ({len(lines) - 12} more lines)"] if len(lines) > 12 else [])
    text = "\r\n".join("".join(c if c.isprintable() or c == "\t" else "?" for c in line[:400]) for line in kept)
    return text.encode("utf-8", "replace")


def secret_lines(secrets: dict[str, str]) -> str:
    """Encode secrets. For each secret, there is a line `NAME COUNT`, and then the COUNT lines of the value."""
    return "\n".join(f"{name} {value.count(chr(10)) + 1}\n{value}" for name, value in secrets.items())


def read_captured(job: str, name: str, step: str) -> str:
    """The host replies with the captured output as octal numbers, one for each byte.

    It replies `gone` if there is none.
    """
    return words("step_captured", *at(job, name), step)


def interrupt(job: str, name: str, step: str, number: int, why: str, seconds: float) -> str:
    """End a step and its descendants.

    They get INT at once, TERM after half of `seconds`, and KILL after `seconds`. The host replies later, under
    `number`. It replies `survived PID COMMAND` for each process that did not end. Then it replies `ended`, `never`
    if the step had not begun, or `stuck` if the step's session had to be closed.
    """
    return words("step_interrupt", *at(job, name), step, number, why, round(seconds))


def mask_log(job: str, name: str, places: list[tuple[int, int]]) -> str:
    """Overwrite ranges (OFFSET, LENGTH) of the log with asterisks, as far as the log still has them."""
    return words("step_mask", *at(job, name), *(number for place in places for number in place))
