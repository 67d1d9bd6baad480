"""Sessions, hosts, captures and money in blocks and in `finally`: which codes are reported on which lines."""

import pytest

from dsl_samples import analysed

H = "host h = local\n"
OPEN = H + "tmux.open @h as w\n"
P = "host g = placeholder\n"
CASES = {
    "operator in single quotes": ("var A = 1\n" + OPEN + "@w > echo '${A%x}' $A\ntmux.close @w\n", ["E502:4"]),
    "near miss beside single quotes": (
        "var NAME = 1\n" + OPEN + "@w > awk '$1 == $NAMEZ' f; echo $NAMES\n@w > echo $NAME\ntmux.close @w\n",
        ["W303:4"],
    ),
    "no near miss in single quotes": (
        "var NAME = 1\n" + OPEN + "@w > awk '$NAMES' f\n@w > echo $NAME\ntmux.close @w\n",
        [],
    ),
    "open, use, close": (OPEN + "@w > ls\ntmux.close @w\n", []),
    "closed in finally": (OPEN + "@w > ls\nfinally\ntmux.close @w\n", []),
    "closed twice, once in finally": (OPEN + "@w > ls\ntmux.close @w\nfinally\ntmux.close @w\n", []),
    "opened again": (OPEN + "tmux.close @w\ntmux.open @h as w\n@w > ls\ntmux.close @w\n", []),
    "opened again after exit": (OPEN + "@w > exit 3\ntmux.open @h as w\ntmux.close @w\n", []),
    "closed after exit": (OPEN + "@w > exit\ntmux.close @w\n", []),
    "exit in a list is not the end": (OPEN + "@w > test -f x || exit 3\n@w > ls\ntmux.close @w\n", []),
    "exit in the background is not the end": (OPEN + "@w > exit 3 &\nwait @w idle\n@w > ls\ntmux.close @w\n", []),
    "used in finally after it was closed": (OPEN + "tmux.close @w\nfinally\n@w > ls\n", ["E404:5"]),
    "opened in finally": (H + "finally\ntmux.open @h as w\n@w > ls\ntmux.close @w\n", []),
    "opened in a block, used behind it": (
        H + "parallel\ntmux.open @h as a\ntmux.open @h as b\nend\n@a > x\n@b > x\ntmux.close @a\ntmux.close @b\n",
        [],
    ),
    "the same name opened twice in a block": (
        H + "parallel\ntmux.open @h as a\ntmux.open @h as a\nend\ntmux.close @a\n",
        ["E414:4"],
    ),
    "nested block is one branch": (
        OPEN + "parallel\nparallel\n@w > a\nsleep 1s\nend\n@w > b\nend\ntmux.close @w\n",
        ["E411:8"],
    ),
    "same host in a block is fine": (OPEN + "parallel\n@h:/a -> ./a\n@h:/b -> ./b\nend\ntmux.close @w\n", []),
    "session named like its host": (H + "tmux.open @h as h\n@h > ls\n@h:/a -> ./a\ntmux.close @h\n", []),
    "one message for many uses": (OPEN + "@v > a\n@v > b\nwait @v idle\ntmux.close @w\n", ["E402:3"]),
    "wait for a background step": (OPEN + "@w > x &\nwait @w port=80\ntmux.close @w\n", []),
    "wait in finally": (OPEN + "@w > x &\nfinally\nwait @w idle\ntmux.close @w\n", []),
    "never waited for at the end": (OPEN + "@w > x &\nfinally\nnotify 'x'\n", ["W201:2", "W202:3"]),
    "picked, used": (P + "acme.pick @g\n@g:/a -> ./a\nfinally\nacme.stop\n", []),
    "stopped by name": (P + "acme.pick @g\nfinally\nacme.stop @g\n", []),
    "destroyed": (P + "acme.pick @g\nfinally\nacme.destroy\n", []),
    "picked in finally and stopped": (P + "finally\nacme.pick @g\nacme.stop\n", []),
    "picked again after the stop": (P + "acme.pick @g\nfinally\nacme.stop\nacme.pick @g\n", ["W203:5"]),
    "guarded by a watchdog": (P + "acme.pick @g\nacme.wait idle_stop=30m\n", []),
    "not guarded": (P + "acme.pick @g\nacme.wait idle_stop=off\n", ["W203:2"]),
    "filled by another tool": (P + "lab.rent @g\n@g:/a -> ./a\n", ["E706:2"]),
    "started again": (
        P + "acme.pick @g\ntmux.open @g as w\nacme.stop\nacme.start\n@w > ls\ntmux.close @w\nfinally\nacme.stop\n",
        [],
    ),
    "capture with a first value": (
        "var X = none\n" + OPEN + '@w capture=X > date\nfinally\nnotify "$X"\ntmux.close @w\n',
        [],
    ),
    "capture in a block, used behind it": (
        OPEN + 'parallel\n@w capture=X > date\nsleep 1s\nend\nnotify "$X"\ntmux.close @w\n',
        [],
    ),
    "job status in finally": ('finally\nnotify "$JOB_STATUS $JOB_ID"\n', []),
    "sweep index anywhere": ('notify "$SWEEP_INDEX"\n', []),
    "unused in an unused value": ("var A = 1\nvar B = $A\n", ["W301:2"]),
    "near miss that the shell sets": (
        "var MODELS = 1\n" + OPEN + "@w > MODEL=2; echo $MODEL $MODELS\ntmux.close @w\n",
        [],
    ),
    "near miss read by the shell": (
        "var LINES_ = 1\n" + OPEN + "@w > while read -r LINE_; do echo $LINE_ $LINES_; done\ntmux.close @w\n",
        [],
    ),
    "ignored above": ("# train: ignore W301\nvar A = 1\n", []),
    "ignored above, through comments": ("# train: ignore W301\n# more\n\nvar A = 1\n", []),
    "ignored on the line": ("var A = 1  # train: ignore W301\n", []),
    "ignored on a command": (OPEN + "@w > sleep 9 & # train: ignore W202\ntmux.close @w\n", []),
    "ignored elsewhere": ("# train: ignore W301\nvar A = 1\nvar B = 2\n", ["W301:3"]),
    "errors are not ignored": ("# train: ignore W301, E101\nwhat\n", ["W104:1", "E101:2"]),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_flow(text: str, expected: list[str]) -> None:
    assert [f"{found.code}:{found.line}" for found in analysed(text).diagnostics()] == expected


def test_given_names_fill_placeholders() -> None:
    text = "host g = placeholder\ntmux.open @g as w\ntmux.close @w\n"
    assert [found.code for found in analysed(text).diagnostics()] == ["E409"]
    assert analysed(text, given=("g",)).diagnostics() == []


def test_the_given_value_of_a_variable_is_not_known() -> None:
    text = "var T = soon\nsleep $T\n"
    assert [found.code for found in analysed(text).diagnostics()] == ["E301"]
    assert analysed(text, given=("T",)).diagnostics() == []


README = """\
# Variables
var MODEL = llama-7b
var WORKDIR = /workspace/train

# Hosts (machines)
host gpu = placeholder
host backup = myserver

# Storage
storage output = r2:my-bucket

# Workflow
acme.pick @gpu num_gpus=1 min_gpu_ram=24
acme.wait timeout=5m

# Create a tmux session "work" on the gpu host
tmux.open @gpu as work

# Commands reference the session name, not the host
@work > cd $WORKDIR && git clone https://github.com/user/repo
@work > pip install -r requirements.txt
@work > python train.py --model $MODEL &

wait @work idle timeout=2h

# Transfers reference the host (for SSH connection info)
@gpu:$WORKDIR/model -> @output:/models/$MODEL/
@gpu:$WORKDIR/model -> @backup:/backup/

acme.stop
tmux.close @work
"""


def test_the_readmes_example_has_one_honest_warning() -> None:
    assert [(found.code, found.line) for found in analysed(README).diagnostics()] == [("W203", 13)]


def test_the_readmes_wrong_example_shows_the_corrected_line() -> None:
    found = analysed("host gpu = local\ntmux.open @gpu\n@gpu > python train.py\n").diagnostics()
    assert [each.code for each in found] == ["E401"]
    assert "tmux.open @gpu as work" in found[0].hint
