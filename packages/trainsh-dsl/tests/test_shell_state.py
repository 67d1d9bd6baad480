"""Which commands set the state of their shell, and which do nothing else."""

import pytest

from trainsh_dsl.analysis import analyse
from trainsh_dsl.document.plan import Execute
from trainsh_dsl.text.shell_state import state_of

CASES = {
    "only": [
        "cd /workspace", "cd /workspace && export A=1; source venv/bin/activate", ". ./env.sh", "X=1 Y=2",
        "export OUT=$(pwd)/out", 'ROOT="$(dirname "$(realpath x)")"', "conda activate train", "set -euo pipefail",
        "shopt -s globstar; alias ll='ls -l'", "f() { python train.py; }", "f () { a; b; }; cd x",
        "function f { make; }", "arr=(a b c)", "cd x 2>/dev/null || exit 1", "cd x >/dev/null 2>&1",
        "if [ -d x ]; then cd x; fi", "((i++))", "pushd x", "unset A", "umask 077", "ulimit -n 4096", "cd a \\\n && cd b",
        "module load cuda/12", "read A < file", "cd x && pwd", "export PATH=~/bin:$PATH", "builtin cd x",
        "deactivate", "nvm use 20", "shift 2", 'printf -v X %s "$Y"',
    ],
    "also": [
        "cd run && make", "source env.sh; python train.py", "mkdir -p x && cd x", "export JOB=$(sbatch job.sh)",
        "X=`make`", 'eval "$(ssh-agent)"', 'exec "$SHELL"', "f() { a; }; f", "export A=1 > log",
        "source <(kubectl completion bash)", "cd x && ls | tee log", "arr=($(make))", "X=$(cat a > b)",
    ],
    "": [
        "python train.py", "A=1 python train.py", "echo cd x", "(cd x; make)", "cat x | read A", "python -c 'x = 1'",
        "pip install 'torch>=2'", "conda install x", "make CFLAGS=-O2", "cat <<EOF\ncd x\nEOF", "bash -c 'cd x'",
        "echo 'export A=1' >> ~/.bashrc", "git commit -m 'cd x'", "ls", "cd 'unclosed",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "expected"), [(command, kind) for kind, commands in CASES.items() for command in commands]
)
def test_state(command: str, expected: str) -> None:
    assert state_of(command) == expected


def test_in_the_plan() -> None:
    recipe = (
        "var D = /workspace\nvar SETUP = source env.sh\nhost h = user@host\ntmux.open @h as w\n@w > cd $D && export A=1\n"
        "@w > cd $D && make\n@w > make\n@w > cd $D; sleep 9 &\n@w > $SETUP\nwait @w idle\ntmux.close @w\n"
    )
    steps = analyse(recipe).plan().steps
    assert [step.state for step in steps if isinstance(step, Execute)] == ["only", "also", "", "", "only"]
