"""Request bodies about one step: see scripts.py."""

from trainsh_tmux.remote.library import words
from trainsh_tmux.remote.scripts import at

# Bytes of `echo` that fit into the FIFO line: a write of up to PIPE_BUF bytes (at least 512) is atomic.
ECHO_IN_LINE = 300
GRACE = 30


def hand_step(
    job: str, name: str, step: str, command: str, *, mode: str, echo: str, limit: float | None, grace: float = GRACE
) -> str | None:
    """Start a step if that is simple; else the host replies `slow`, and the caller must send start_step.

    This takes less time on the host than start_step. Returns None when the echo does not fit into the FIFO line.
    """
    line, head = _shown_in_line(step, mode, echo, limit, grace)
    return None if head else words("step_hand", *at(job, name), step, command, line)


def start_step(
    job: str, name: str, step: str, command: str, *, mode: str = "run", echo: str = "", limit: float | None = None,
    grace: float = GRACE, secrets: dict[str, str] | None = None, taken: tuple[str, ...] = (),
    replaces: tuple[str, ...] = (), only_ask: bool = False,
) -> str:  # fmt: skip
    """Start a step. No reply means that it was sent to the session's shell: the log will show that it begins.

    Replies `again [STATUS [WHY]]` (or `again lost [WHY]`) when it was started before, `never` (with `only_ask`), or
    why it was not started: `full`, `released`, `starting`, `gone STATE`, `elsewhere NODE`. `taken`: steps with
    secrets whose captured output has been read and is now removed. `replaces`: earlier attempts, which waits ignore
    from now on.
    """
    if only_ask:
        return words("step_ask", *at(job, name), step)
    line, head = _shown_in_line(step, mode, echo, limit, grace)
    rest = [*(("--taken", *taken) if taken else ()), *(("--replaces", *replaces) if replaces else ())]
    return words("step_start", *at(job, name), step, command, line, head, secret_lines(secrets or {}), *rest)


def _shown_in_line(step: str, mode: str, echo: str, limit: float | None, grace: float) -> tuple[str, str]:
    """Return the line for the FIFO, and the text that the pane shows if it does not fit into that line."""
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
    """Encode secrets: for each, a line `NAME COUNT`, then the COUNT lines of its value."""
    return "\n".join(f"{name} {value.count(chr(10)) + 1}\n{value}" for name, value in secrets.items())


def read_captured(job: str, name: str, step: str) -> str:
    """The host replies with the captured output in octal bytes, safe for any content; `gone` if there is none."""
    return words("step_captured", *at(job, name), step)


def interrupt(job: str, name: str, step: str, number: int, why: str, seconds: float) -> str:
    """End a step and its descendants: INT, after half of `seconds` TERM, after `seconds` KILL.

    Replies later, under `number`: `survived PID COMMAND` for processes that did not end; then `ended`, `never` if the
    step had not begun, or `stuck` if its session had to be closed.
    """
    return words("step_interrupt", *at(job, name), step, number, why, round(seconds))


def mask_log(job: str, name: str, places: list[tuple[int, int]]) -> str:
    """Overwrite ranges (OFFSET, LENGTH) of the log with asterisks, if the log still has them."""
    return words("step_mask", *at(job, name), *(number for place in places for number in place))
