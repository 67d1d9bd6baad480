"""The checks that rent machines. They call `pick`, call it again, kill it and cancel it.

After each of these, they count the rented machines.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import msgspec

from trainsh_base.errors import Cancelled, MissingProgram, TimedOut, TrainError, UsageError
from trainsh_base.provider.bill import Bill
from trainsh_base.provider.instance import Instance
from trainsh_base.remote.target import Target
from trainsh_base.system.deadline import Deadline
from trainsh_base.tool.peer import call
from trainsh_plugin.check.leftovers import Leftovers
from trainsh_plugin.check.subject import HOST, Subject
from trainsh_plugin.check.verdict import Broken, LeftOut, need

MOMENTS = (0.3, 0.6)  # the process is killed after these fractions of the time that a pick takes
QUICK = 5.0  # seconds; a pick that takes less time need not report progress
REACHED, ONE_TRY = 90.0, 30.0  # seconds within which a new machine must answer by ssh, and seconds for one try
AFTER_CANCEL = 30.0  # seconds within which a cancelled `pick` must end, in addition to the time that a pick takes


class Rentals:
    """The machines that the checks of one tool have rented, and what the first `pick` did (time, questions,
    progress).
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.takes = 0.0
        self.asked: list[dict[str, Any]] = []
        self.progress = 0
        self.first: Instance | None = None
        self.leftovers = Leftovers(subject, f"check-{os.getpid()}-")
        self.job = self.new_job()

    def new_job(self) -> str:
        """Return the id of a new job. Nothing is rented for it."""
        jobs = self.leftovers.jobs
        jobs.append(f"{self.leftovers.mark}{len(jobs) + 1}")
        return jobs[-1]

    def pick(self, job: str) -> dict[str, Any]:
        """Call `pick` for the job, as a runner of recipes does."""
        answer = self.subject.result(self.subject.begin(self.subject.pick, self.subject.wanted(job)))
        self.leftovers.note(answer)
        need(isinstance(answer, dict), "pick answers no object")
        return dict(answer)

    def machine(self) -> Instance:
        """Return the machine that the first pick rented. Raises LeftOut if there is none."""
        if self.first is None:
            raise LeftOut("nothing was rented")
        return self.first

    def states(self, id_: int | str) -> list[str]:
        """Return the states in the rows that `list` has for a machine. If the machine is gone, there are none."""
        return [row.state for row in self.subject.instances() if row.id == id_]

    def one(self, job: str, when: str) -> None:
        """Destroy all machines of the job. Check that exactly one machine had been rented for it."""
        rows = self.subject.held(job)
        left = self.subject.give_back(job)
        need(len(rows) == 1, f"{when}: {len(rows)} machines rented")
        need(not left, "; ".join(left))


def answers(rented: Rentals) -> str:
    """Check that `pick` binds the host and names the instance, and that `list` shows the instance with its job."""
    subject, began = rented.subject, time.monotonic()
    begun = subject.begin(subject.pick, subject.wanted(rented.job))
    answer = subject.result(begun)
    rented.leftovers.note(answer)
    rented.takes, rented.asked = time.monotonic() - began, begun.asked
    rented.progress = sum(event.get("kind") == "progress" for event in begun.events)
    need(isinstance(answer, dict) and isinstance(answer.get("hosts"), dict), "the answer has no `hosts`")
    need(HOST in answer["hosts"], f"the answer binds {', '.join(answer['hosts']) or 'no host'}, not {HOST}")
    need("instance" in answer, "the answer has no `instance`, so no journal would have the rented machine")
    instance = msgspec.convert(answer["instance"], Instance)
    rows = subject.held(rented.job)
    need(len(rows) == 1, f"list shows {len(rows)} machines of the job")
    need(rows[0].id == instance.id, f"pick answers {instance.id}, list shows {rows[0].id}")
    need(rows[0].end, "the row in `list` has no `end`, so a person does not see how to stop the machine")
    rented.first = rows[0]
    return f"{rows[0].id} in {rented.takes:.1f} s"


def tells(rented: Rentals) -> str:
    """Check that `pick` reports progress, if it takes so long that a person would wait."""
    rented.machine()
    if not rented.progress and rented.takes < QUICK:
        raise LeftOut(f"pick takes {rented.takes:.1f} s")
    need(rented.progress, "no progress on TRAINSH_EVENTS (or as events), so a person sees nothing during pick")
    return f"{rented.progress} events"


def asks(rented: Rentals) -> str:
    """Check that each question names a flag that answers it without a terminal."""
    rented.machine()
    if not rented.asked:
        raise LeftOut("it asks nothing")
    for question in rented.asked:
        need(question.get("flag"), f"the question {question.get('message')!r} names no flag that answers it")
    return str(rented.asked[0].get("message"))


def asks_nobody(rented: Rentals) -> str:
    """Check that `pick` exits with 2, names the flag and rents nothing, if its question cannot be answered."""
    rented.machine()
    if not rented.asked:
        raise LeftOut("it asks nothing")
    subject, job = rented.subject, rented.new_job()
    try:
        subject.result(subject.begin(subject.pick, subject.wanted(job), answers=False))
    except UsageError as error:
        flag = str(rented.asked[0].get("flag")).partition("=")[0]
        need(flag in f"{error.message} {error.hint}", f"no {flag} in {error.message!r}")
        need(not subject.held(job), "a machine was rented although nobody answered the question")
        return error.message
    except TrainError as error:
        raise Broken(f"exit {error.exit_status}, not 2: {error.message}") from None
    finally:
        subject.give_back(job)
    raise Broken("pick continued although nobody answered the question")


def twice(rented: Rentals) -> str:
    """Check that a second `pick` for the same job returns the same machine."""
    first = rented.machine()
    again = rented.pick(rented.job)
    need(str((again.get("instance") or {}).get("id")) == str(first.id), f"{again.get('instance')}, not {first.id}")
    need(len(rented.subject.held(rented.job)) == 1, "two machines")
    return "the same machine"


def resolves(rented: Rentals) -> str:
    """Check that `resolve REF` returns a target."""
    row = rented.machine()
    target = msgspec.convert(rented.subject.once("resolve", {"ref": str(row.id)}), Target)
    need(target.kind == "local" or target.argv, "no argv")
    need(target.rented, 'a rented machine has "rented": true')
    need(target.machine, 'no "machine": ssh would expect the host key of this machine from the next machine too')
    return target.destination or target.kind


def reached(rented: Rentals) -> str:
    """Check that `train host run NAME:REF -- true`, which uses the answer of `resolve`, reaches the machine.

    If the tool has a command `wait`, it is called before, as in a recipe.
    """
    subject, row = rented.subject, rented.machine()
    ref = f"{subject.name}:{row.id}"
    if "wait" in subject.commands:
        subject.result(subject.begin("wait", subject.about("wait", rented.job, ref)))
    deadline = Deadline.after(REACHED)
    while True:
        try:
            ran = call("host", "run", {"name": ref, "command": ["true"]}, timeout=ONE_TRY)
            break
        except MissingProgram:
            raise LeftOut("there is no train-host") from None
        except TrainError as error:
            if deadline.expired:
                raise Broken(f"{ref}: {error.message}") from None
            time.sleep(min(2.0, deadline.within(2.0)))
    need(ran["exit"] == 0, f"{ref}: `true` ended with {ran['exit']}")
    return ref


def bills(rented: Rentals) -> str:
    """Check that `bill` lists the running machine and its price per hour."""
    row = rented.machine()
    if "bill" not in rented.subject.commands:
        raise LeftOut("it has no bill")
    bill = msgspec.convert(rented.subject.once("bill", {}), Bill, strict=False)
    found = [each for each in bill.now if str(each.id) == str(row.id)]
    need(len(found) == 1, f"{len(found)} rows of {row.id} in `now`")
    need(found[0].per_hour > 0 or not row.price_per_hour, f"{row.id} costs {found[0].per_hour} an hour in bill")
    return f"{found[0].per_hour} {found[0].currency} an hour"


def caller_killed(rented: Rentals) -> str:
    """Kill the runner while the tool rents, and call `pick` again at once.

    Check that exactly one machine is rented.
    """
    rented.machine()
    subject = rented.subject
    for share in MOMENTS:
        job = rented.new_job()
        words = [
            sys.executable,
            "-m",
            "trainsh_plugin.check.caller",
            subject.program,
            job,
            json.dumps(subject.options),
        ]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as caller:
            assert caller.stdout is not None
            caller.stdout.readline()
            time.sleep(share * rented.takes)
            caller.kill()
        rented.pick(job)
        time.sleep(rented.takes)  # the first `pick` may still be renting
        rented.one(job, f"killed after {share * rented.takes:.1f} s")
    return f"one machine, {len(MOMENTS)} times"


def tool_killed(rented: Rentals) -> str:
    """Kill the tool during a pick, and call `pick` again. Check that exactly one machine is rented."""
    rented.machine()
    subject = rented.subject
    for share in MOMENTS:
        job = rented.new_job()
        begun = subject.begin(subject.pick, subject.wanted(job))
        time.sleep(share * rented.takes)
        with contextlib.suppress(ProcessLookupError):
            os.kill(begun.pid, signal.SIGKILL)
        subject.forget()
        rented.pick(job)
        time.sleep(rented.takes)
        rented.one(job, f"killed after {share * rented.takes:.1f} s")
    return f"one machine, {len(MOMENTS)} times"


def cancelled(rented: Rentals) -> str:
    """Check that a cancelled `pick` ends, and that it leaves no rented machine without a label."""
    rented.machine()
    subject, job = rented.subject, rented.new_job()
    before = {row.id for row in subject.instances()}
    begun = subject.begin(subject.pick, subject.wanted(job))
    time.sleep(MOMENTS[0] * rented.takes)
    begun.pending.cancel()
    try:
        begun.pending.result(rented.takes + AFTER_CANCEL)
        said = "pick ended before it could be cancelled"
    except Cancelled:
        said = "cancelled, exit 130"
    except TimedOut:
        raise Broken(f"pick still runs {rented.takes + AFTER_CANCEL:.0f} s after the cancel") from None
    time.sleep(rented.takes)
    rows = subject.instances()
    strangers = [str(row.id) for row in rows if row.id not in before and row.job != job]
    held = len(subject.held(job))
    subject.give_back(job)
    need(not strangers, f"rented without a label of the job: {', '.join(strangers)}")
    need(held <= 1, f"{held} machines")
    return said


def nothing_left(rented: Rentals) -> str:
    """Destroy what the earlier checks have left, including machines whose row they could not read.

    Name what is still there.
    """
    left = rented.leftovers.destroy()
    need(not left, "; ".join(left))
    return f"of {len(rented.leftovers.jobs)} jobs"
