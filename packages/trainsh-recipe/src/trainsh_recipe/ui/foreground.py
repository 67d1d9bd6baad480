"""A job run in front: the view chosen, Ctrl-C answered, the ways it can end."""

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_base.request import Request, current
from trainsh_recipe.engine import detach, signals
from trainsh_recipe.engine.held_job import HeldJob
from trainsh_recipe.engine.questions import Questions
from trainsh_recipe.engine.runner import Runner
from trainsh_recipe.engine.signals import Cancel, Leave
from trainsh_recipe.engine.tools import Tools
from trainsh_recipe.engine.view import View
from trainsh_recipe.plan.document import Execute
from trainsh_recipe.store import jobs
from trainsh_recipe.store.state import State
from trainsh_recipe.ui.json_lines import JsonLines
from trainsh_recipe.ui.lines import Lines
from trainsh_recipe.ui.sleep_inhibitor import Awake

MENU = """
{name} is still running. What shall become of it?
  l  leave it: this program ends, what runs elsewhere goes on    (train recipe resume {job})
  b  background: a program without a terminal goes on with it    (train recipe watch {job})
  c  cancel it: stop the step, run finally
  g  go on
"""


def choose_view(request: Request, *, visual: bool, show_output: bool) -> View:
    """Live on a terminal, lines elsewhere, events for programs."""
    if not request.for_people:
        return JsonLines(request)
    if visual and sys.stdout.isatty() and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        from trainsh_recipe.ui.live import Live  # noqa: PLC0415 - a terminal has time for it

        return Live()
    return Lines(show_output=show_output)


def make_runner(begun: HeldJob, view: View, on_interrupt: Callable[[Runner], None]) -> Runner:
    """The runner of a job, with its tools starting."""

    request = current()
    questions = Questions(request, view)
    runner = Runner(
        begun.job, begun.plan, begun.state, begun.journal, view=view, request=request, on_interrupt=on_interrupt,
        tools=Tools(begun.job.folder, questions.ask), questions=questions,
    )  # fmt: skip
    runner.tools.prepare([*runner.steps, *runner.closing])
    return runner


def carry_out(begun: HeldJob, runner: Runner) -> tuple[State, int]:
    """Run the job to its end, or until it is left: its state, and the exit status of this process."""
    view = runner.view
    left = None
    if begun.state.max_time is not None:
        left = begun.state.max_time - begun.state.active
    view.begin(begun.state, runner.numbers, begun.name)
    awake = Awake(f"train is running {begun.state.name}")
    awake.start()
    try:
        state = runner.run(left)
    except Leave as leave:
        view.close()
        state = begun.state
        if leave.background:
            pid = detach.give(begun)
            say(f"job {begun.job.id} goes on in the background (process {pid}): train recipe watch {begun.job.id}")
            return state, 0
        state.status, state.reason = "interrupted", leave.reason
        begun.lock.release()
        said = f"{leave.reason}; " if leave.status == 1 else ""
        say(f"{said}job {begun.job.id} is left as it is; go on with it: train recipe resume {begun.job.id}")
        return state, leave.status
    finally:
        awake.stop()
    view.close()
    begun.lock.release()
    if state.status == "ok":
        return state, 0
    return state, runner.cancelled_status if state.status == "cancelled" else 1


def say(text: str) -> None:
    """A line for people on stderr."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        print(text, file=sys.stderr, flush=True)


def on_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def menu(runner: Runner) -> None:
    """Ctrl-C: ask what is meant; raises Leave or Cancel, or returns to go on. Without a terminal it means leave."""
    if not on_terminal() or runner.questions.open or not runner.request.for_people:
        signals.interrupted()
    with runner.view.paused():
        sys.stderr.write(MENU.format(name=runner.state.name, job=runner.job.id))
        while True:
            sys.stderr.write("l, b, c or g: ")
            sys.stderr.flush()
            line = os.read(0, 1000)
            word = line.decode(errors="replace").strip().lower()[:1]
            if not line or word == "l":
                signals.interrupted()
            if word == "b":
                raise Leave(0, "sent to the background", background=True)
            if word == "c":
                raise Cancel("cancelled by Ctrl-C", 130)
            if word == "g":
                return


def to_command(runner: Runner) -> None:
    """Ctrl-C in `exec`: the running command gets it; with none running, it ends what runs."""
    running = [at for at in list(runner.flying.values()) if isinstance(at.numbered.step, Execute)]
    if not running:
        raise Cancel("interrupted", 130)
    for at in running:
        session = runner.state.sessions.get(at.numbered.step.session)  # type: ignore[union-attr]
        if session is not None:
            params = {
                "session": session.name,
                "host": session.host,
                "job": runner.job.id,
                "text": "C-c",
                "keys": True,
            }
            with contextlib.suppress(TrainError):
                runner.tools.start("tmux", "send", params)


def over(job: jobs.Job, runner: Runner) -> None:
    """The end of an `exec`: its sessions go, unless something was left running in them."""
    for session in runner.state.sessions.values():
        if not session.open:
            continue
        method = "release" if session.left else "close"
        params = {"session": session.name, "host": session.host, "job": job.id}
        with contextlib.suppress(TrainError):
            runner.tools.peer("tmux").request(method, params, timeout=10)
        if session.left:
            say(f"left running in session {session.name}: train recipe attach {job.id}")
        else:
            session.open = False


def answer(params: dict[str, Any]) -> str:
    """A tool's question outside a run, passed on to the terminal."""
    return current().ask(
        str(params.get("kind")), str(params.get("message")), choices=params.get("choices"),
        default=params.get("default"), flag=str(params.get("flag") or ""),
    )  # fmt: skip
