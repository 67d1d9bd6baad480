"""One schedule: a recipe runs, faults happen at random times, and the job is resumed until it is over.

Then checks follow.
"""

import json
import random
import re
import subprocess
import time
from collections import Counter

import strikes
from machine import Machine, new_machine

LIMIT = 75  # seconds for one run or resume, including the faults
ROUNDS = 5  # the most resumes after the last fault
RECIPE = """var WORK = {work}
host box = {spec}
tmux.open @box as a
tmux.open @box as b
@a > cd $WORK && export COUNT=1
@a > echo one >> ran; sleep 0.3
@b > (echo bg >> {work}/ran; sleep 0.9; echo bg-end >> {work}/ran; touch {work}/flag; echo ready) &
@a > echo "two $COUNT $PWD" >> ran; sleep 0.3
./source/ -> @box:{work}/copied/
wait @b "ready" timeout=40s
wait @b file={work}/flag timeout=40s
wait @b idle timeout=40s
@a capture=SAID > echo captured | tee -a ran
@a > echo three-begins >> ran; sleep 0.4; echo "three $COUNT $SAID" >> ran
@box:{work}/copied/ -> ./back/
@a > sleep 0.2; echo last >> ran
finally
@a > echo "finally $JOB_STATUS" >> ran
tmux.close @b
tmux.close @a
"""
# The step that writes a line with this beginning.
STEP_OF = {
    "one": "4", "bg": "5", "bg-end": "5", "two": "6", "captured": "11", "three-begins": "12", "three": "12", "last": "14",
}  # fmt: skip
# A journal must not have these words about a command that never fails by itself, and no person may see them.
NEVER = ("Traceback", "internal error", "bug of its own", "ended with -9", "printf: write error", "driver.sh")


class Story:
    """What was done in a schedule, and what is wrong at its end."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.told: list[str] = []
        self.strikes: list[strikes.Strike] = []
        self.wrong: list[str] = []
        self.again = False

    def __str__(self) -> str:
        done = ", ".join(map(str, self.strikes)) or "no strike"
        return f"seed {self.seed} ({done}): {'; '.join(self.wrong)}\n" + "\n".join(self.told)


def play(seed: int, remote: bool | None = None) -> Story:
    """Play the schedule of a seed to its end."""
    choice = random.Random(seed)
    story = Story(seed)
    with new_machine(choice.random() < 0.7 if remote is None else remote) as machine:
        prepare(machine)
        planned = [strikes.Strike(choice, machine.remote) for _ in range(choice.choice([1, 1, 1, 2, 2, 3]))]
        if seed == 0:
            planned = []
        words = ["train", "recipe", "run", "./r.recipe", "--no-visual"]
        rounds = ROUNDS
        while rounds:
            now = [planned.pop(0) for _ in range(choice.choice([1, 1, 2])) if planned]
            rounds -= not now
            status = one_run(machine, story, words, now)
            if status in ("ok", "cancelled") or story.wrong:
                break
            words = next_words(story, status)
        check(machine, story, status)
    return story


def prepare(machine: Machine) -> None:
    """Write the recipe and its data."""
    home = machine.world.home
    (home / "source").mkdir()
    (home / "source" / "data").write_text("data\n" * 1000)
    (home / "r.recipe").write_text(RECIPE.format(work=machine.work, spec=machine.spec))


def one_run(machine: Machine, story: Story, words: list[str], planned: list[strikes.Strike]) -> str:
    """Run to the end, with these faults during the run. Return the job's status."""
    began = time.monotonic()
    runner = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=machine.world.env, cwd=machine.world.home,
    )  # fmt: skip
    done: list[strikes.Strike] = []
    threads = [strikes.start(strike, machine, runner, done) for strike in planned]
    try:
        out = runner.communicate(timeout=LIMIT)[0]
    except subprocess.TimeoutExpired:
        runner.kill()
        out = runner.communicate()[0]
        story.wrong.append(f"{words[2]} did not end within {LIMIT} seconds")
    for thread in threads:
        thread.join()
    story.strikes += done
    struck = f" [{', '.join(map(str, done))}]" if done else ""
    seconds = time.monotonic() - began
    story.told.append(f"$ {' '.join(words)}{struck} -> {runner.returncode} after {seconds:.1f}s\n{out}")
    story.wrong += [f"{never!r} was printed" for never in NEVER if never in out]
    status = job_status(machine)
    by_signal = any(strike.kind == "runner" for strike in done)
    if (runner.returncode == 0) != (status == "ok") and not by_signal:
        story.wrong.append(f"exit status {runner.returncode}, and the job is {status or 'none'}")
    return status


def job_status(machine: Machine) -> str:
    """The job's status in its journal, or "" if it has not begun."""
    done = machine.world.run("train", "recipe", "jobs", "--json", check=False)
    jobs = json.loads(done.out) if done.status == 0 else []
    return str(jobs[0]["state"]) if jobs else ""


def next_words(story: Story, status: str) -> list[str]:
    """What a person would type next: the command that the tool recommends, else resume."""
    if not status:
        return ["train", "recipe", "run", "./r.recipe", "--no-visual"]
    found = re.findall(r"train (?:recipe )?resume((?: +[\w.=-]+)*)", story.told[-1])
    options = found[-1].split() if found else []
    wanted: list[str] = []
    if "--retry-lost" in options:
        wanted, story.again = ["--retry-lost"], True
    if "--from" in options:
        wanted, story.again = [*wanted, "--from", options[options.index("--from") + 1]], True
    return ["train", "recipe", "resume", "--no-visual", *wanted]


def check(machine: Machine, story: Story, status: str) -> None:
    """Check that each command ran once and in order, that no message was false, that no output is lost, and that
    nothing is left.
    """
    ran = machine.work / "ran"
    lines = [
        line for line in (ran.read_text().splitlines() if ran.exists() else []) if not line.startswith("finally")
    ]
    wanted = [
        "one",
        "bg",
        "bg-end",
        f"two 1 {machine.work}",
        "captured",
        "three-begins",
        "three 1 captured",
        "last",
    ]
    if status != "ok":
        story.wrong.append(f"the job is {status or 'none'} when nothing strikes any more")
        return
    counted, losing = Counter(lines), sum(strike.kind in strikes.LOSING for strike in story.strikes)
    attempts = bad_attempts(machine)
    for line in wanted:
        most = 1 + losing + attempts[STEP_OF[line.split()[0]]]
        if counted[line] == 0:
            story.wrong.append(f"{line!r} never ran")
        elif counted[line] > most:
            story.wrong.append(f"{line!r} ran {counted[line]} times")
        elif (
            counted[line] > 1 and not story.again and not re.search(r"\blost\b|again|failed", "\n".join(story.told))
        ):
            story.wrong.append(f"{line!r} ran {counted[line]} times, and nobody said why")
    strange = sorted(set(lines) - set(wanted))
    if strange:
        story.wrong.append(f"{strange} ran too")
    in_order = [line for line in wanted if not line.startswith("bg")]
    last = [max(place for place, line in enumerate(lines) if line == each) for each in in_order if each in lines]
    if last != sorted(last):
        story.wrong.append(f"the order is {lines}")
    for copy in (machine.work / "copied" / "data", machine.world.home / "back" / "data"):
        if not copy.exists() or copy.read_text() != "data\n" * 1000:
            story.wrong.append(f"{copy.parent.name} is not whole")
    check_leftovers(machine, story)


def bad_attempts(machine: Machine) -> Counter[str]:
    """How many attempts of each step did not succeed. Each such attempt may have run its command once more."""
    job = max(path for path in (machine.world.config / "jobs").iterdir() if path.name[0].isdigit())
    events = [json.loads(line) for line in (job / "events.jsonl").read_text().splitlines()]
    ended = (event for event in events if event["event"] == "step.finished")
    return Counter(str(event["step"]) for event in ended if event["status"] != "ok")


def check_leftovers(machine: Machine, story: Story) -> None:
    """Check that no session, no process of train, no open job and no file with a secret is left."""
    deadline = time.monotonic() + 10
    while left := machine.processes("tmux ", "/usr/bin/tmux ", "train-") + python_tools(machine):
        if time.monotonic() > deadline:
            story.wrong.append(f"{len(left)} processes are left")
            break
        time.sleep(0.05)
    if list((machine.world.config / "jobs" / "open").iterdir()):
        story.wrong.append("the job is still among the open ones")
    if list(machine.home.glob(".local/state/tmux-trainsh/sessions/*/*/steps/*.env")):
        story.wrong.append("the environment of a step is left")


def python_tools(machine: Machine) -> list[int]:
    """The processes of train's tools. Their command lines begin with a Python interpreter."""
    tools = machine.world.env["PATH"].split(":")[1]
    return machine.processes(*(f"{python} {tools}/train-" for python in (f"{tools}/python", f"{tools}/python3")))
