"""Compares the rules for variables in commands with a real bash."""

import subprocess

import pytest

from trainsh_dsl.analysis import analyse
from trainsh_dsl.text.heredocs import HereIndex
from trainsh_dsl.text.shell import Scan
from trainsh_dsl.text.source import Source


def run(command: str) -> str:
    """What the command prints after A was replaced by its value, in a bash that has no variable A."""
    analysis = analyse(f"var A = va lue\nhost h = local\ntmux.open @h as w\n@w > {command}\n")
    assert analysis.ok, [found.message for found in analysis.diagnostics()]
    sent = analysis.plan().steps[1].command
    text = sent if isinstance(sent, str) else "".join(part if isinstance(part, str) else "va lue" for part in sent)
    return subprocess.run(
        ["bash", "-c", text], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    ).stdout


LITERAL = {
    "bare": "echo \\$A",
    "double quotes": 'echo "\\$A"',
    "single quotes": "echo '\\$A'",
    "ansi quotes": "echo $'\\$A'",
    "braces": "echo \\${A}",
    "here-document": "cat <<E\n\\$A\nE",
    "quoted here-document": "cat <<'E'\n\\$A\nE",
    "backticks": "echo `echo \\$A`",
    "substitution": "echo $(echo \\$A)",
    "substitution in quotes": "echo \"$(echo '\\$A')\"",
    "parameter": 'echo "${X:-\\$A}"',
}
REPLACED = {
    "bare": "echo $A",
    "double quotes": 'echo "$A"',
    "single quotes": "echo '$A'",
    "here-document": "cat <<E\n$A\nE",
    "quoted here-document": "cat <<'E'\n$A\nE",
    "substitution": "echo $(echo ${A})",
    "arithmetic beside": "echo $A #$((1<<2))",
    "after an apostrophe in double quotes": "echo ''$A\"\"",
}


@pytest.mark.parametrize("command", LITERAL.values(), ids=LITERAL)
def test_an_escaped_variable_is_its_text(command: str) -> None:
    assert run(command) in ("$A\n", "${A}\n")


@pytest.mark.parametrize("command", REPLACED.values(), ids=REPLACED)
def test_quotes_do_not_stop_a_variable(command: str) -> None:
    assert run(command) == "va lue\n"


WHOLE = [
    "echo a",
    "echo 'a\nb'",
    'echo "a\nb"',
    "echo a \\\n b",
    "cat <<E\nx\nE",
    "cat <<'E F'\nx\nE F",
    'cat <<"E"\nx\nE',
    "cat <<E <<-F\n1\nE\n\t2\n\tF",
    "case x in x) echo y;; esac",
    "echo $(case x in x) echo y;; esac)",
    'echo "$(echo "a b")"',
    "echo `echo 'a'`",
    "echo $((1<<2))",
    "((x=1<<2)); echo $x",
    "cat <<<x",
    'echo ${X:-"a b"}',
    "echo \"${X:-'a b'}\"",
    "echo $'it\\'s'",
    "(echo a; echo b)",
    "{ echo a; }",
    "x=(1 2); echo ${x[1]}",
    "echo a#b",
    "echo \\# \\'",
    "f() { echo a; }; f",
    "for i in 1 2; do echo $i; done",
    "[[ a == a* ]] && echo y",
    "echo a | cat",
    'echo "$(cat <<E\nx\nE\n)"',
    "echo $( (echo a) )",
    "echo a > /dev/null 2>&1",
    "cat <<E; echo b\nx\nE",
    "cat <<A'B'\nx\nAB",
    "cat <<\\E\n$x\nE",
    "diff <(echo a) <(echo a)",
]
BROKEN = [
    "echo 'a",
    'echo "a',
    "echo $(a",
    "echo `a",
    "(echo a",
    "echo ${a",
    "cat <<E\nx",
    "echo $'a",
    "echo a |",
    "echo a &&",
    "echo $((1+2",
    'echo "$(a"',
    "cat <<E\nx\n E",
]


def bash_takes(command: str) -> bool:
    return not subprocess.run(
        ["bash", "-n"], input=command + "\n", capture_output=True, text=True, check=False
    ).stderr


@pytest.mark.parametrize("command", WHOLE, ids=[command.replace("\n", "/") for command in WHOLE])
def test_the_scanner_takes_what_bash_takes(command: str) -> None:
    source = Source(command + "\nnext line")
    scan = Scan(source, HereIndex(source), 0).run()
    assert bash_takes(command)
    assert scan.problem is None
    assert source.text[: scan.end] == command


@pytest.mark.parametrize("command", BROKEN, ids=[command.replace("\n", "/") for command in BROKEN])
def test_the_scanner_refuses_what_bash_refuses(command: str) -> None:
    source = Source(command)
    assert not bash_takes(command)
    assert Scan(source, HereIndex(source), 0).run().problem is not None
