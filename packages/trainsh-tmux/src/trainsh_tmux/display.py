"""Prints the answers of the commands for people."""

import msgspec

from trainsh_base.system.units import format_duration
from trainsh_base.tool.display import nothing, remark, table
from trainsh_tmux.model import Done, Holds, Listed, Outcome, Removed, Screen, Session, Waited


def show_open(session: Session) -> None:
    """Print that the session is open, what its shell got back, and how to use it."""
    print(f"session {session.name} on {session.host}: {'opened' if session.fresh else 'was open already'}")
    for note in session.notes:
        remark(note)
    if session.restored:
        without = f", without {', '.join(session.left_out)}" if session.left_out else ""
        remark(f"its shell has the directory and variables of the one before{without}")
    import shlex  # noqa: PLC0415 - `serve` prints nothing for people

    where = "" if session.host == "local" else f" --host {shlex.quote(session.host)}"
    where += f" --job {session.job}" if session.job else ""
    remark(f"  type in it: train tmux attach {session.name}{where}")
    remark(f"  run in it: train tmux run 'uname -n' --session {session.name}{where}")


def show_outcome(outcome: Outcome) -> None:
    """Print how a step ended, unless it succeeded."""
    if outcome.state not in ("ok", "failed") or outcome.exit:
        remark(f"{outcome.reason} ({format_duration(outcome.seconds)})")


def run_status(outcome: Outcome) -> int:
    """Return the exit status of `run`: the command's own, or 6 if the command timed out."""
    if outcome.state in ("ok", "started"):
        return 0
    if outcome.state == "timeout":
        return 6
    return outcome.exit if outcome.exit else 1


def show_wait(waited: Waited) -> None:
    """Print the line that matched."""
    print(waited.line if waited.line is not None else f"after {format_duration(waited.seconds)}")


def show_list(rows: list[Listed]) -> None:
    """Print a row for each session."""
    if not rows:
        nothing("No sessions. Open one: train tmux open local work")
        return
    shown = [
        msgspec.to_builtins(row)
        | {"age": format_duration(row.age), "for": format_duration(row.seconds) if row.running else ""}
        for row in rows
    ]
    names = ("name", "host", "state", "age", "job", "running", "for", "attached")
    table(shown, {name: name for name in names})


def show_holds(found: Holds) -> None:
    """Print which of the sessions are open, and how the steps ended."""
    rows = [{"kind": "session", "name": name, "state": each.state} for name, each in found.sessions.items()]
    rows += [{"kind": "step", "name": name, "state": each.state} for name, each in found.steps.items()]
    table(rows, {"kind": "kind", "name": "name", "state": "state"})


def show_screen(screen: Screen) -> None:
    """Print the pane's lines."""
    print("\n".join(screen.lines))


def show_done(done: Done) -> None:
    """Print what was done, and which processes are still running."""
    print(f"{done.name}: {done.done}")
    for process in done.survived:
        remark(f"still running: {process}")


def show_clean(removed: list[Removed]) -> None:
    """Print what was removed, and how to remove the rest."""
    for one in removed:
        print(one.path)
    words = f"{len(removed)} removed" if removed else "nothing was removed"
    remark(f"{words}; with --days 0 also what was used in the last days")
