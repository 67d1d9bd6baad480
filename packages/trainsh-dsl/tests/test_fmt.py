"""The canonical form."""

import pytest

from trainsh_dsl.analysis import analyse

CASES = {
    "definitions aligned": (
        "var A=1\nvar  LONG = 2\nhost h  =   local\n",
        "var A    = 1\nvar LONG = 2\nhost h   = local\n",
    ),
    "a group ends at a blank line": ("var A = 1\n\nvar LONG = 2\n", "var A = 1\n\nvar LONG = 2\n"),
    "a comment does not end a group": ("var A = 1\n# x\nvar LONG = 2\n", "var A    = 1\n# x\nvar LONG = 2\n"),
    "options in order": ("@w retry=1   timeout=5m>ls\n", "@w timeout=5m retry=1 > ls\n"),
    "verb options as written": (
        "acme.pick min_gpu_ram=24 @g num_gpus=1\n",
        "acme.pick @g min_gpu_ram=24 num_gpus=1\n",
    ),
    "general options behind": ("foo.bar retry=1 z=1 a=2 timeout=1 x\n", "foo.bar x z=1 a=2 timeout=1 retry=1\n"),
    "repeated options keep their order": (
        "./a -> ./b exclude=z delete=yes exclude=a\n",
        "./a -> ./b delete=yes exclude=z exclude=a\n",
    ),
    "background": ("@w > sleep 9&\n", "@w > sleep 9 &\n"),
    "command untouched": ("@w >   echo  'a   b'  |  cat  \n", "@w > echo  'a   b'  |  cat\n"),
    "here-document untouched": ("  @w > cat <<E\n  a\t \n\n\nE\n", "@w > cat <<E\n  a\t \n\n\nE\n"),
    "blocks indented": (
        "parallel\n@w > a\n# c\nsleep 1s\nend\n",
        "parallel\n    @w > a\n    # c\n    sleep 1s\nend\n",
    ),
    "blank lines": ("\n\n\nsleep 1s\n\n\n\n\nsleep 2s\n\n\n", "sleep 1s\n\n\nsleep 2s\n"),
    "crlf and bom": ("\ufeffsleep 1s\r\nsleep 2s\r\n", "sleep 1s\nsleep 2s\n"),
    "no end of line at the end": ("sleep 1s", "sleep 1s\n"),
    "joined when it fits": ("foo.bar a=1 \\\n   b=2\n", "foo.bar a=1 b=2\n"),
    "broken when it does not": (
        "foo.bar " + " \\\n".join(f"option{n}=value{n}" for n in range(9)) + "\n",
        "foo.bar option0=value0 option1=value1 option2=value2 option3=value3 option4=value4 option5=value5 \\\n"
        "    option6=value6 option7=value7 option8=value8\n",
    ),
    "value untouched": ("var A =  a  b 'c' # d \n", "var A = a  b 'c' # d\n"),
    "empty value": ("var A =\nvar B =  \n", "var A =\nvar B =\n"),
    "directives stay": (
        "var A = 1 # train: ignore W301\nfinally  # train: ignore W203\nsleep 1s\n",
        "var A = 1  # train: ignore W301\nfinally  # train: ignore W203\nsleep 1s\n",
    ),
    "only comments": ("# a\n\n  # b\n", "# a\n\n# b\n"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_fmt(text: str, expected: str) -> None:
    analysis = analyse(text)
    assert not analysis.syntax_errors, [found.message for found in analysis.diagnostics()]
    assert analysis.formatted() == expected
    assert analyse(expected).formatted() == expected
