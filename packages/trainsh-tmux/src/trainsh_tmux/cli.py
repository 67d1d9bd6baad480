"""train-tmux: open sessions, run steps in them, wait, look, attach, and take them down."""

import contextlib
import os
import threading
from typing import Annotated

import msgspec

from trainsh_base.errors import UsageError
from trainsh_base.request import current, limited
from trainsh_base.system.deadline import Deadline
from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Handover, Opt, Tool
from trainsh_base.tool.program import run as run_tool
from trainsh_tmux import display
from trainsh_tmux.model import Done, Holds, Listed, Outcome, Prepared, Removed, Screen, Session, Waited
from trainsh_tmux.names import server, session_name, word
from trainsh_tmux.remote import session_scripts
from trainsh_tmux.session.ahead import Ahead
from trainsh_tmux.session.errors import not_open
from trainsh_tmux.session.registry import Registry

CLOSING = 30.0  # seconds beyond the grace within which a host must answer that a session is closed
PREPARING = 2.0  # seconds within which `prepare` must have a shell on an open connection
KILLING = 10  # `kill` allows time for this many sessions, because the host closes them one after the other
registry, ahead = Registry(), Ahead()


def _close_all() -> None:
    ahead.close()
    registry.close()


def _warm_up() -> None:
    """Load and compute what a spare needs for an `exec` on another machine."""
    import trainsh_base.remote.resolved.kept_target  # noqa: PLC0415 - for spares only
    import trainsh_base.remote.ssh  # noqa: PLC0415
    import trainsh_base.system.configuration.config  # noqa: F401, PLC0415
    from trainsh_tmux.remote import library  # noqa: PLC0415

    _load()
    library.digest()
    library.text("hello.sh")
    library.text("follow.sh")


tool = Tool(
    "tmux", "Persistent tmux sessions, steps and waits", on_close=_close_all, warm_up=_warm_up,
)  # fmt: skip

HostOpt = Annotated[str, Opt("the machine: local, a name, or user@host", metavar="HOST", kind="host")]
GraceOpt = Annotated[
    Duration | None, Opt("time between its first signal and its kill (default: the setting tmux.grace)")
]
JobOpt = Annotated[
    str, Opt("the job that the session belongs to (default: a session made by hand)", metavar="JOB", kind="job")
]


@tool.command("open", ensures=True, show=display.show_open)
def open_(
    host: Annotated[str, Arg("the machine: local, a name, or user@host", kind="host")],
    name: Annotated[str, Arg("the session's name")],
    job: JobOpt = "",
    cwd: Annotated[str | None, Opt("the folder in which its shell starts", metavar="DIR")] = None,
    bootstrap: Annotated[bool, Opt("install tmux on the host if it is missing")] = False,
    restore: Annotated[bool, Opt("give a new shell the state of the previous one")] = False,
    without: Annotated[
        list[str], Opt("a variable that the session must not inherit, since it is a secret", metavar="NAME")
    ] = [],  # noqa: B006
) -> Session:
    """Open a session; one that is open already stays as it is."""
    from trainsh_tmux.session.opening import open_session, start_folder  # noqa: PLC0415 - as in `_load`

    live = registry.session(host, job, name)
    return ahead.take(live, fits=not (cwd or bootstrap or restore or without)) or open_session(
        live, start_folder(live.host, cwd), bootstrap=bootstrap, restore=restore, without=tuple(without)
    )


@tool.command()
def prepare(
    host: HostOpt = "local",
    session: Annotated[
        str | None, Opt("also open this session; it is closed again at the end if nobody opens it", metavar="NAME")
    ] = None,
    job: JobOpt = "",
) -> Prepared:
    """Prepare for requests to a machine, for programs: start the shells there that will serve them.

    A program calls this before it knows its first request. An open connection is used; there is no login.
    """
    machine = registry.host(host)
    path = machine.target.control_path
    ready = machine.target.kind == "local"
    if path and not ready:
        from trainsh_base.remote.control_socket import master_pid  # noqa: PLC0415 - this machine needs no sockets

        ready = master_pid(path) is not None
    if ready:
        request, deadline = current(), Deadline.after(PREPARING)
        threading.Thread(target=_load, daemon=True).start()
        machine.channel(request, deadline)
        # The second shell comes after the first, because the first request needs only one.
        threading.Thread(target=machine.prepare_shell, args=(request, deadline), daemon=True).start()
        if session is not None:
            from trainsh_tmux.session.opening import start_folder  # noqa: PLC0415 - as in `_load`

            ahead.open(registry.session(host, job, session), start_folder(machine, None))
    return Prepared(ready=ready)


def _load() -> None:
    """Load the modules that the steps of a recipe need, while the shells on the host start.

    Nothing is left for later, because the recipe may run for days, and train may be upgraded meanwhile.
    """
    import trainsh_tmux.session.holds  # noqa: PLC0415
    import trainsh_tmux.session.opening  # noqa: PLC0415 - the shells are started first
    import trainsh_tmux.step.conversation  # noqa: PLC0415
    import trainsh_tmux.wait.background_output  # noqa: PLC0415
    import trainsh_tmux.wait.pattern  # noqa: F401, PLC0415


@tool.command(show=display.show_outcome, status=display.run_status)
def run(
    command: Annotated[str, Arg("shell text to run")],
    session: Annotated[
        str | None,
        Opt("the session to run it in (default: a new one for this command)", metavar="NAME", kind="session"),
    ] = None,
    host: HostOpt = "local",
    job: JobOpt = "",
    step: Annotated[
        str | None, Opt("identity of the step; a step of the same identity never runs twice", metavar="ID")
    ] = None,
    timeout: Annotated[Duration | None, Opt("end the command after this time")] = None,
    background: Annotated[bool, Opt("do not wait: leave the command running in the session")] = False,
    capture: Annotated[bool, Opt("return its standard output as `captured`")] = False,
    secrets: Annotated[
        dict[str, str], Opt("environment variables of this step only, never shown (set with --input)")
    ] = {},  # noqa: B006
    echo: Annotated[str | None, Opt("the text that the pane shows instead of the command", metavar="TEXT")] = None,
    since: Annotated[int | None, Opt("offset in the session's log; the step began at this offset or later")] = None,
    keep_running: Annotated[bool, Opt("leave the command running when it times out")] = False,
    only_ask: Annotated[bool, Opt("run nothing; print how the step ended, or that it runs")] = False,
    grace: GraceOpt = None,
    replaces: Annotated[list[str], Opt("earlier attempts of this step, for waits to ignore", metavar="ID")] = [],  # noqa: B006
) -> Outcome:
    """Run a command in a session and wait for its end; its output is shown as it comes.

    The exit status is the command's own (6 if it timed out). Ctrl-C ends only the waiting: the command keeps
    running.
    """
    if background and capture:
        raise UsageError("the output of a background step cannot be captured", "remove --background or --capture")
    if only_ask and not (step and session):
        raise UsageError("only_ask needs a session and a step")
    from trainsh_tmux.step.conversation import Conversation  # noqa: PLC0415 - as in `_load`
    from trainsh_tmux.step.failures import raise_for  # noqa: PLC0415
    from trainsh_tmux.step.handing import Step  # noqa: PLC0415
    from trainsh_tmux.step.step_status import asked  # noqa: PLC0415

    name = session or f"run-{os.getpid()}-{os.urandom(2).hex()}"
    live = registry.session(host, job, name)
    wanted = Step(
        name=word("step", step or f"h{os.urandom(6).hex()}"), command=command,
        mode="background" if background else "capture" if capture else "run",
        echo=command if echo is None else echo, timeout=timeout, secrets=secrets, since=since,
        keep_running=keep_running, replaces=tuple(word("step", each) for each in replaces),
        grace=session_scripts.grace_setting() if grace is None and timeout is not None else grace or 0.0,
    )  # fmt: skip
    if only_ask:
        return asked(live, wanted.name)
    live.handed(wanted.name, list(secrets.values()), background=background)
    if session:
        return raise_for(Conversation(live, wanted, current()).run())
    from trainsh_tmux.step.own_session import run_alone  # noqa: PLC0415 - a recipe's step has a session

    return run_alone(live, wanted)


@tool.command(show=display.show_wait)
def wait(
    session: Annotated[str, Arg("the session", kind="session", also=("name",))],
    pattern: Annotated[
        str | None, Opt("until a line of the session's output matches this regular expression", metavar="REGEX")
    ] = None,
    file: Annotated[str | None, Opt("until this file exists", metavar="PATH")] = None,
    port: Annotated[int | None, Opt("until a program listens on this port")] = None,
    idle: Annotated[
        str | None,
        Opt("until nothing runs in the session's window (`own`) or in all its windows (`all`)", metavar="own|all"),
    ] = None,
    host: HostOpt = "local",
    job: JobOpt = "",
    timeout: Annotated[Duration, Opt("give up after this long")] = Duration(300),  # noqa: B008
    since: Annotated[
        int | None, Opt("offset in the session's log at which the search for the pattern begins")
    ] = None,
    output: Annotated[bool, Opt("show the session's output during the wait")] = False,
    shown: Annotated[int | None, Opt("offset in the session's log up to which its output was shown before")] = None,
) -> Waited:
    """Wait for one condition in a session; exit status 6 if the condition is not met in time."""
    given = {"pattern": pattern, "file": file, "port": port, "idle": idle}
    wanted = [key for key, value in given.items() if value is not None]
    if len(wanted) != 1:
        raise UsageError(
            "wait needs one of --pattern, --file, --port, --idle", f"given: {', '.join(wanted) or 'none'}"
        )
    if idle not in (None, "own", "all"):
        raise UsageError(f"--idle must be own or all, not {idle!r}")
    from trainsh_tmux.wait.background_output import BackgroundOutput  # noqa: PLC0415 - few recipes wait
    from trainsh_tmux.wait.patience import in_time  # noqa: PLC0415
    from trainsh_tmux.wait.pattern import wait_for  # noqa: PLC0415

    live = registry.session(host, job, session)
    with in_time(live, timeout):
        if wanted[0] != "pattern":
            registry.must_exist(live)
        with BackgroundOutput(live, current(), shown) if output else contextlib.nullcontext():
            return wait_for(live, wanted[0], str(given[wanted[0]]), timeout, since)


@tool.command("list", show=display.show_list)
def list_(
    host: Annotated[
        list[str], Opt("a machine to list (repeatable; default: this one and all configured hosts)")
    ] = [],  # noqa: B006
    all_: Annotated[bool, Opt("also sessions that have ended")] = False,
) -> list[Listed]:
    """List sessions: the job each belongs to, what runs in it, and for how long."""
    from trainsh_tmux.session.listing import configured, everywhere  # noqa: PLC0415 - asked for by hand

    rows = everywhere(host or ["local", *configured()], registry.host)
    return [row for row in rows if all_ or row.state != "ended"]


@tool.command(show=display.show_holds)
def holds(
    job: JobOpt = "",
    host: HostOpt = "local",
    sessions: Annotated[list[str], Opt("session to ask for (repeatable)", metavar="NAME")] = [],  # noqa: B006
    steps: Annotated[list[str], Opt("step to ask for (repeatable)", metavar="ID")] = [],  # noqa: B006
    timeout: Annotated[Duration | None, Opt("how long to try to reach the host")] = None,
) -> Holds:
    """Report which sessions of a job are open on a host, and how its steps ended; changes nothing."""
    from trainsh_tmux.session.holds import ask_holds  # noqa: PLC0415 - only a resume asks

    with limited(Deadline.after(timeout).at):
        return ask_holds(registry.host(host), job, sessions, steps)


@tool.command(show=display.show_screen)
def capture(
    session: Annotated[str, Arg("the session", kind="session", also=("name",))],
    host: HostOpt = "local",
    job: JobOpt = "",
    history: Annotated[int, Opt("also print this many lines from above the screen", metavar="N")] = 0,
) -> Screen:
    """Print what a session's pane shows."""
    from trainsh_tmux.session.pane import screen  # noqa: PLC0415 - asked for by hand

    return screen(registry.host(host), job, session, history)


def _do(host: str, job: str, session: str, body: str) -> Done:
    answer = registry.host(host).first(body, "none")
    if answer.startswith("none"):
        raise not_open(registry.host(host), job, session)
    return Done(name=session, host=host, job=job, done=answer)


@tool.command(show=display.show_done)
def send(
    session: Annotated[str, Arg("the session", kind="session", also=("name",))],
    text: Annotated[str, Arg("what to type")],
    host: HostOpt = "local",
    job: JobOpt = "",
    keys: Annotated[bool, Opt("names of keys, in tmux's notation (C-c Up Enter)")] = False,
    enter: Annotated[bool, Opt("press Enter after it")] = False,
) -> Done:
    """Type text into a session's pane, for a program there that asks a question."""
    return _do(
        host, job, session, session_scripts.send_keys(job, session_name(session), text, enter=enter, keys=keys)
    )


@tool.command(show=display.show_done, name="interrupt")
def interrupt_(
    session: Annotated[str, Arg("the session", kind="session", also=("name",))],
    step: Annotated[str, Arg("the step")],
    host: HostOpt = "local",
    job: JobOpt = "",
    grace: GraceOpt = None,
) -> Done:
    """End a step and all it started: INT now, TERM after half of the grace time, KILL at the end of it."""
    from trainsh_tmux.step.interrupting import end_step  # noqa: PLC0415 - loaded with the step

    live = registry.session(host, job, session)
    given = session_scripts.grace_setting() if grace is None else grace
    told, survived = end_step(live, word("step", step), "interrupted", given, current())
    return Done(name=session, host=host, job=job, done=told, survived=survived)


@tool.command(show=display.show_done)
def release(
    session: Annotated[str, Arg("the session", kind="session", also=("name",))],
    host: HostOpt = "local",
    job: JobOpt = "",
) -> Done:
    """Turn a session's pane into an ordinary shell, with the directory and environment of its last step."""
    done = _do(host, job, session, session_scripts.release(job, session_name(session)))
    if done.done == "asked":
        from trainsh_tmux.session.reclaim import released  # noqa: PLC0415 - a step still runs there

        over = released(registry.session(host, job, session))
        done = msgspec.structs.replace(done, done="released" if over else "will be released when its step ends")
    return done


def _survivors(lines: list[str]) -> list[str]:
    return [line.removeprefix("survived ") for line in lines if line.startswith("survived ")]


@tool.command(show=display.show_done)
def close(
    session: Annotated[str, Arg("the session", kind="session", also=("name",))],
    host: HostOpt = "local",
    job: JobOpt = "",
    grace: GraceOpt = None,
    snapshot: Annotated[bool, Opt("keep the shell's state for `open --restore`")] = True,
    wait: Annotated[bool, Opt("wait until the session is closed, instead of until its host has begun to")] = True,
) -> Done:
    """Close a session, and end what runs in it. It is no error if the session is gone already."""
    given = session_scripts.grace_setting() if grace is None else grace
    body = session_scripts.close_session(job, session_name(session), given, snapshot=snapshot, wait=wait)
    with limited(Deadline.after(given + CLOSING).at):
        lines = registry.host(host).ask(body, limit=given + CLOSING)
    registry.forget(host, job, session)
    done = next((word for word in ("closed", "closing") if word in lines), "was not open")
    return Done(name=session, host=host, job=job, done=done, survived=_survivors(lines))


@tool.command(show=display.show_done)
def kill(
    job: Annotated[str, Opt("the job (default: the sessions made by hand)", metavar="JOB")] = "",
    host: HostOpt = "local",
    grace: GraceOpt = None,
) -> Done:
    """Close all sessions of a job on a host, and end what runs in them."""
    given = session_scripts.grace_setting() if grace is None else grace
    limit = KILLING * (given + CLOSING)
    with limited(Deadline.after(limit).at):
        lines = registry.host(host).ask(session_scripts.kill_server(job, given), limit=limit)
    done = "killed" if "killed" in lines else "was not running"
    return Done(name=server(job), host=host, job=job, done=done, survived=_survivors(lines))


@tool.command()
def attach(
    session: Annotated[str, Arg("the session", kind="session", also=("name",))],
    host: HostOpt = "local",
    job: JobOpt = "",
) -> Handover:
    """Attach the terminal to a session; C-b d detaches."""
    machine = registry.host(host)
    registry.must_exist(registry.session(host, job, session))
    from trainsh_tmux.session.pane import attach_handover  # noqa: PLC0415 - asked for by hand

    return attach_handover(machine, job, session)


@tool.command(show=display.show_clean)
def clean(
    host: HostOpt = "local",
    days: Annotated[int, Opt("remove only files that have not been used for this many days", metavar="N")] = 7,
) -> list[Removed]:
    """Remove the files of sessions that have ended on a host."""
    if days < 0:
        raise UsageError(f"--days must be 0 or more, not {days}")
    lines = registry.host(host).ask(session_scripts.clean(days))
    return [Removed(path=line.removeprefix("removed ")) for line in lines if line.startswith("removed ")]


def main() -> None:
    """Run train-tmux."""
    run_tool(tool)
