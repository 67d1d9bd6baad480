"""Texts that are meant to be slow, each of about `size` characters."""

HEAD = "host h = local\ntmux.open @h as s\n"


def _lines(line: str, size: int) -> str:
    """Many copies of `line`, about `size` characters in all. In each copy, {n} is replaced by a number."""
    count = max(1, size // (len(line) + 3))
    return HEAD + "".join(line.replace("{n}", str(number)) + "\n" for number in range(count))


def _one_line(piece: str, size: int) -> str:
    count = max(1, size // (len(piece) + 3))
    return HEAD + "@s > echo " + "".join(piece.replace("{n}", str(number)) for number in range(count))


FAMILIES = {
    "definitions": lambda size: "".join(f"var V{n} = $V{n - 1}x\n" for n in range(1, size // 18)),
    "unused hosts": lambda size: "".join(f"host h{n} = user@h{n} -p {n % 60000 + 1}\n" for n in range(size // 28)),
    "same name": lambda size: _lines("var A = 1", size),
    "unknown variables": lambda size: _lines('notify "$NAME{n}"', size),
    "unknown shell words": lambda size: (
        "".join(f"var NAME{n} = 1\n" for n in range(size // 60)) + _lines("@s > echo $NAMX{n}", size // 2)
    ),
    "unknown sessions": lambda size: _lines("@t{n} > ls", size),
    "hosts as sessions": lambda size: (
        "".join(f"host k{n} = local\n" for n in range(size // 60))
        + HEAD
        + "".join(f"@k{n} > ls\n" for n in range(size // 60))
    ),
    "unknown hosts": lambda size: _lines("@g{n}:/a -> ./b", size),
    "sessions": lambda size: _lines("tmux.open @h as w{n}", size),
    "stops": lambda size: _lines("tmux.open @h as w{n}\nacme.pick @h\nacme.stop", size),
    "nonsense": lambda size: _lines("what is {n}", size),
    "nonsense after opens": lambda size: _lines("tmux.open @h as w{n}\nwhat", size),
    "open quotes": lambda size: _lines("@s > echo it's {n}", size),
    "here-documents without end": lambda size: _lines("@s > cat <<E{n}", size),
    "here-documents": lambda size: _lines("@s > cat <<'E{n}'\n$A body\nE{n}", size),
    "continuations": lambda size: _lines("wait @s idle \\", size),
    "command continuations": lambda size: _lines("@s > ls \\", size),
    "options": lambda size: HEAD + "./a -> ./b " + " ".join(f"exclude={n}" for n in range(size // 12)),
    "verb options": lambda size: HEAD + "foo.bar " + " ".join(f"o{n}={n}" for n in range(size // 12)),
    "parallel": lambda size: _lines("parallel\n@s > ls\nsleep 1s\nend", size),
    "parallel never ended": lambda size: _lines("parallel", size),
    "captures": lambda size: _lines("@s capture=C{n} > echo $C{n}", size),
    "one long line": lambda size: HEAD + "@s > echo " + "x" * size,
    "long line of blanks": lambda size: HEAD + "var X = a" + " " * size + "b \\\nc",
    "variables on one line": lambda size: "var A = 1\n" + _one_line("$A ${A} ", size),
    "unknown on one line": lambda size: HEAD + 'notify "' + "".join(f"$N{n} " for n in range(size // 9)) + '"',
    "quotes on one line": lambda size: _one_line("'$A' \"$A\" ", size),
    "secrets on one line": lambda size: _one_line("curl ${secret:T{n}}; ", size),
    "open parentheses": lambda size: _one_line("$(", size),
    "parentheses in quotes": lambda size: HEAD + '@s > "' + "$(" * (size // 4) + "\n" * (size // 4),
    "backslashes": lambda size: _one_line("\\", size) + "$A",
    "backticks": lambda size: _one_line("`# ", size),
    "nested pattern": lambda size: HEAD + 'wait @s "' + "(" * size + '"',
    "semicolons": lambda size: _one_line("a; ", size) + " &",
    "carriage returns": lambda size: _lines("@s > ls\r{n}\r", size),
    "ignores": lambda size: _lines("# train: ignore W301\nvar A{n} = 1", size),
    "wide characters": lambda size: _lines('notify "\U0001f600 $N{n}"', size),
}
