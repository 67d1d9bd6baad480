"""Hypothesis strategies for texts that are nearly recipes, and for valid recipes."""

from hypothesis import strategies as st

_PIECES = [
    "@work",
    "@gpu",
    "@out",
    "@",
    "work",
    "gpu",
    " ",
    "  ",
    "\t",
    "\n",
    "\n",
    "\n",
    "\r\n",
    "\r",
    ">",
    "->",
    "&",
    "&&",
    ";",
    "|",
    "(",
    ")",
    "$(",
    "`",
    "${",
    "}",
    "{",
    "$A",
    "${A}",
    "\\$A",
    "${A%x}",
    "${secret:T}",
    "$B",
    "'",
    '"',
    "$'",
    "\\",
    "\\\n",
    "<<E",
    "<<'E'",
    "<<-E",
    "E",
    "\nE\n",
    "\tE\n",
    "#",
    "# train: ignore W203",
    "=",
    ":",
    "/",
    "~",
    "*",
    "var",
    "host",
    "storage",
    "wait",
    "notify",
    "sleep",
    "parallel",
    "end",
    "finally",
    "tmux.open",
    "tmux.close",
    "acme.pick",
    "acme.stop",
    "foo.bar",
    "as",
    "timeout=5m",
    "timeout=",
    "retry=3",
    "capture=C",
    "exclude=x",
    "file=/x",
    "port=1",
    "idle",
    "5s",
    "-p",
    "22",
    "user@host",
    "placeholder",
    "local",
    "r2:b",
    "var A = 1\n",
    "host gpu = local\n",
    "storage out = r2:b\n",
    "tmux.open @gpu as work\n",
    "@work > ls\n",
    "\0",
    "\ud800",
    "é",
    "😀",
    "\ufeff",
    "\x0c",
    "\u2028",
    "case",
    "esac",
    "if",
    "done",
    "((",
    "))",
    "<",
    "<<<",
    ">&",
    "&>",
    "exit 1",
]

soup = st.lists(st.sampled_from(_PIECES), max_size=60).map("".join)
texts = st.one_of(st.text(max_size=200), soup, st.text(alphabet="@>w $'\"\\\n&;#<E(){}`=", max_size=80))

_WORDS_OF_COMMANDS = [
    "a",
    "b ",
    " ",
    "'x y'",
    "'$A'",
    "'$1'",
    '"q r"',
    '"$A"',
    '"\\$A"',
    "$A",
    "${A}",
    "\\$A",
    "\\\\",
    "\\*",
    "\\;",
    "$NAMES",
    "$?",
    "$",
    "$(a)",
    "$(a $A)",
    '"$(b)"',
    "$(a 'b')",
    "(c)",
    "(d; $A)",
    "`e`",
    "&",
    " & ",
    "&&",
    "&>",
    ">&",
    ";",
    "|",
    "||",
    "#",
    " # c",
    "<",
    "<<<",
    "{",
    "}",
    "exit 1",
    "cd x",
    "'",
    '"',
    "it's",
    "${A%x}",
    "${X:-y}",
    "$((1+2))",
    "é",
]
commands = (
    st.lists(st.sampled_from(_WORDS_OF_COMMANDS), min_size=1, max_size=9).map("".join).map(str.strip).filter(bool)
)

_NAMES = ["A", "MODEL", "work_dir", "X9"]
_VALUES = ["1", "/a b/c", "it's", '"q"', "# x", "a  b", "", "$A", "x\\d", "é 😀"]
_OPTIONS = ["timeout=5m", "retry=2", "retry_delay=1s", "allow_fail=true"]
_COMMANDS = [
    "ls",
    "python train.py --model $MODEL &",
    'echo "a -> b"',
    "echo 'it is'  twice",
    "a && b",
    "a; b",
    "echo \\$MODEL '\\$MODEL'",
    "cd $A",
    "cat <<E\n  body $A 'x\n\nE",
    "cat <<'E' &\nbody $A\nE",
    "cat <<-E\n\tbody\n\tE",
    'python -c "\nprint(1)\n"',
    "a \\\n   b &",
    "a & # c",
    "echo $(ls `pwd`) ${X:-y}",
    "x=$((1<<2))",
    "echo `echo \\$A`",
    "echo $'a\\'b'",
    "a &&\tb  ",
    "echo # train: ignore W202",
    "paste <<A <<'B'\n1\nA\n2\nB",
    'echo "$(cat <<E\nx\nE\n)"',
]
_WORDS = ["/a/b", "./x", "~/y", '"/a b"', "'/c*'", "/d/*.pt", "$A/z", "'/e \\\n /f'"]


@st.composite
def _options(draw: st.DrawFn, extra: tuple[str, ...] = ()) -> list[str]:
    chosen = draw(
        st.lists(st.sampled_from([*_OPTIONS, *extra]), unique_by=lambda word: word.split("=")[0], max_size=4)
    )
    return list(chosen)


def _gap(draw: st.DrawFn) -> str:
    return draw(st.sampled_from([" ", " ", "  ", "\t", " \\\n  "]))


def _line(draw: st.DrawFn, words: list[str]) -> str:
    text = words[0]
    for word in words[1:]:
        text += _gap(draw) + word
    return text + draw(st.sampled_from(["", "", "  ", "  # train: ignore W203"]))


@st.composite
def _step(draw: st.DrawFn, depth: int = 0, session: str = "s0") -> str:
    kind = draw(
        st.sampled_from(
            ["execute", "wait", "transfer", "notify", "sleep", "control"] + (["parallel"] if depth < 2 else [])
        )
    )
    indent = draw(st.sampled_from(["", "  ", "\t"]))
    if kind == "execute":
        command = draw(st.sampled_from(_COMMANDS))
        blank = draw(st.sampled_from(["", " ", "  "]))
        head = (
            "@"
            + session
            + "".join(" " + word for word in draw(_options(("capture=OUT",) if "&" not in command else ())))
        )
        return indent + head + " >" + blank + command
    if kind == "wait":
        condition = draw(
            st.sampled_from(['"a\\d+ $A"', "'x y'", "file=/x/$A", "port=80", "idle", "idle=all", 'file="/a b"'])
        )
        return indent + _line(draw, ["wait", "@" + session, condition, *draw(_options())])
    if kind == "transfer":
        words = [draw(st.sampled_from(_WORDS)), "->", "@h:" + draw(st.sampled_from(_WORDS))]
        more = draw(_options(("exclude=*.a", "delete=true", "bwlimit=1M")))
        return indent + _line(draw, [*words, *more, *draw(st.sampled_from([[], ["exclude=b", "include='c d'"]]))])
    if kind == "notify":
        return indent + _line(
            draw, ["notify", draw(st.sampled_from(['"done $A"', "'it is'", '"a \\"b\\" \\$A"'])), *draw(_options())]
        )
    if kind == "sleep":
        return indent + _line(draw, ["sleep", draw(st.sampled_from(["5s", "1h30m", "7"]))])
    if kind == "control":
        return indent + _line(
            draw,
            [
                draw(st.sampled_from(["acme.pick", "acme.wait", "foo.bar"])),
                "@h",
                *draw(st.sampled_from([[], ["b=1", "a=$A", "num_gpus=1"]])),
                *draw(_options()),
            ],
        )
    count = draw(st.integers(1, 3))
    inner = [draw(_step(depth + 1, f"s{place}")) for place in range(count)]
    return indent + "parallel\n" + "\n".join(inner) + "\n" + indent + "end"


_BETWEEN = st.sampled_from(
    ["\n", "\n", "\n\n", "\n\n\n\n", "\n# comment \n", "\n   # train: ignore W301\n", "\n \t \n"]
)


@st.composite
def recipes(draw: st.DrawFn) -> str:
    """The text of a recipe whose statements can all be read. Its sessions and hosts may still be wrong."""
    lines: list[str] = []
    for name in draw(st.lists(st.sampled_from(_NAMES), unique=True)):
        value = draw(st.sampled_from(_VALUES))
        if value == "$A" and "A" not in str(lines):
            value = "2"
        lines.append(f"var{_gap(draw)}{name} ={_gap(draw) if value else ' '}{value}")
    if not any(" A =" in line or "\tA =" in line for line in lines):
        lines = ["var A = one"] + [line for line in lines if "$A" not in line]
    elif any("$A" in line for line in lines):
        lines = [line for line in lines if "$A" not in line]
    spec = draw(st.sampled_from(["local", "user@h  -p 22", "-i ~/k user@h -o A=b", "name"]))
    lines += [f"host h = {spec}", *(f"tmux.open @h as s{place}" for place in range(3))]
    for place in range(draw(st.integers(0, 6))):
        lines.append(draw(_step(0, f"s{place % 3}")))
    if draw(st.booleans()):
        lines.append("finally")
        lines.append(draw(_step(2)))
    text = draw(st.sampled_from(["", "\n", "# first\n\n"]))
    for line in lines:
        text += line + draw(_BETWEEN)
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    return text.replace("\n", ending) if ending != "\n" else text
