"""Scans a command as bash reads it: finds its end, its quoting, its here-documents and the `&` at its end.

The scan makes one pass over the text and keeps a stack of open constructs. It does not recurse, so that deep
nesting is no problem.
"""

import re

from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.scan_state import COMMANDS, Problem, ScanState

# Matches a command if the whole command is on one line and no stack is needed to read it. Group 1 is the `&` at its
# end. The pattern allows `$(...)` and `(...)` if nothing in them is quoted or nested.
_INSIDE = r"\((?>(?:[^()\\'\"`$<#]++|\$[A-Za-z_?!@*0-9]|<(?![<(]))*)\)"
SIMPLE = lazy(
    rf"""(?>(?:[^\\'"`&<>|$;#()]++
        |"(?>(?:[^"\\`$]++|\\[^$]|\$(?![({{])|\$\{{[A-Za-z0-9_]++\}}|\${_INSIDE})*)"
        |'[^']*+'
        |\\[^$]
        |\$(?![('"{{])|\$\{{[A-Za-z0-9_]++\}}|\${_INSIDE}|{_INSIDE}
        |&&|\|{{1,2}}+(?!&)|&>>?+|>>|>&|>|;(?![;&])|<(?![<(&>])|(?<=[^\s;&|<>])\#)*)
        (&?)[ \t]*\Z""",
    re.VERBOSE,
)
_PLAIN = lazy(r"[^\\'\"`$&;|<>()# \t\r\n}]+")
_QUOTED = lazy(r'[^"\\`$\n]+')
_BRACED = lazy(r"[^\\'\"`$}\n]+")
_SUM = lazy(r"[^\\'\"`$()\n]+")
_OPERATOR = lazy(r"<<<|&>>|&>|&&|\|\||\|&|;;&|;;|;&|>>|>&|<&|>\||<>|[;|&<>]")
_HERE = lazy(r"<<(-?)[ \t]*((?:[^\s;&|<>()'\"\\]|\\.|'[^'\n]*'|\"[^\"\n]*\")+)")
_ANSI = lazy(r"\$'(?>(?:[^'\\]++|\\.)*)'", re.DOTALL)


class Scan(ScanState):
    """Scans one command from `start`."""

    def run(self) -> "Scan":
        """Scan to the end of the logical line. Return this object."""
        try:
            self.end = self._read()
            self._check_last()
        except Problem as problem:
            self.problem = problem
            line = self.source.line_of(problem.start)
            self.end = min(self.source.starts[line] + len(self.source.lines[line]), len(self.text))
        return self

    def _read(self) -> int:
        text, size, pos = self.text, len(self.text), self.start
        while pos < size:
            mode = self._stack[-1].what if self._stack else ""
            if text[pos] == "\n":
                pos = self._newline(pos, mode)
                if pos < 0:
                    return -pos - 1
            elif mode == '"':
                pos = self._in_quotes(pos)
            elif mode == "${":
                pos = self._in_braces(pos)
            elif mode in ("((", "in(("):
                pos = self._in_sum(pos)
            else:
                pos = self._in_command(pos, mode)
        self._check_closed()
        if self._pending:
            self._bodies(pos)
        return size

    # Each of these methods reads one token at `pos` and returns the offset after the token.

    def _in_command(self, pos: int, mode: str) -> int:
        text, char = self.text, self.text[pos]
        plain = _PLAIN.match(text, pos)
        if plain:
            if self._stack and self._piece_end != pos:
                self._count_case(plain[0], pos)
            return self._piece(pos, plain.end())
        if char in " \t":
            return pos + 1
        if char == "#":
            return self._comment(pos)
        if char in "&;|<>":
            return self._operator(pos)
        if char == "(":
            return self._parenthesis(pos)
        if char == ")":
            return self._close_parenthesis(pos, mode)
        if char == "\r" and text[pos + 1 : pos + 2] in ("", "\n"):
            return pos + 1
        if char in "}\r":
            return self._piece(pos, pos + 1)
        return self._special(pos)

    def _in_quotes(self, pos: int) -> int:
        plain = _QUOTED.match(self.text, pos)
        if plain:
            return plain.end()
        if self.text[pos] == '"':
            opened = self._pop()
            self._quotes -= 1
            if not self._stack or self._stack[-1].what in COMMANDS:
                self._piece(opened, pos + 1)
            return pos + 1
        return self._special(pos)

    def _in_braces(self, pos: int) -> int:
        plain = _BRACED.match(self.text, pos)
        if plain:
            return plain.end()
        if self.text[pos] == "}":
            self._close_word(pos + 1)
            return pos + 1
        if self.text[pos] == "'" and self._quotes:
            return self._paired(pos)
        return self._special(pos)

    def _paired(self, pos: int) -> int:
        """Read a single quote inside double quotes and braces, as in `"${X:-'y'}"`.

        Bash requires the closing quote there, but expands the text between the two quotes.
        """
        close = self.text.find("'", pos + 1)
        if close < 0:
            raise self._never_closed(pos)
        self._cross(pos, close)
        return close + 1

    def _in_sum(self, pos: int) -> int:
        plain = _SUM.match(self.text, pos)
        if plain:
            return plain.end()
        char = self.text[pos]
        if char == "(":
            self._push("in((", pos)
            return pos + 1
        if char == ")":
            if self._stack[-1].what == "in((":
                self._pop()
                return pos + 1
            if self.text.startswith("))", pos):
                self._close_word(pos + 2)
                return pos + 2
            self._not_a_sum()
            return pos + 1
        return self._special(pos)

    def _not_a_sum(self) -> None:
        """Treat `((` as two nested subshells instead of arithmetic. The inner subshell has been closed already."""
        frame = self._stack[-1]
        frame.what = "$(" if self.text[frame.at] == "$" else "("
        self._depth += 1
        self._piece_end = -1

    def _special(self, pos: int) -> int:
        """Read a backslash, a quote, a backtick or a dollar sign. These mean the same in nearly every context."""
        text, char = self.text, self.text[pos]
        if text.startswith("\\\n", pos):
            self._piece_end += 2 * (self._piece_end == pos)  # the shell joins the text before and after this place
            return pos + 2
        if char == "\\":
            return self._piece(pos, min(pos + 2, len(text)))
        if char == "'":
            return self._single(pos)
        if char == '"':
            self._push('"', pos)
            if not self._quotes:
                self._first_quote = pos
            self._quotes += 1
            return pos + 1
        if char == "`":
            return self._tick(pos)
        return self._dollar(pos)

    def _dollar(self, pos: int) -> int:
        text = self.text
        for opener, length in (("$((", 3), ("$(", 2), ("${", 2)):
            if text.startswith(opener, pos):
                self._push("((" if length == 3 else opener, pos)
                return pos + length
        if text.startswith("$'", pos) and not (self._stack and self._stack[-1].what == '"'):
            ansi = _ANSI.match(text, pos)
            if ansi is None:
                raise self._never_closed(pos + 1)
            self._cross(pos + 1, ansi.end())
            self.literal.append((pos, ansi.end()))
            return self._piece(pos, ansi.end())
        return self._piece(pos, pos + 1)

    def _single(self, pos: int) -> int:
        close = self.text.find("'", pos + 1)
        if close < 0:
            raise self._never_closed(pos)
        self._cross(pos, close)
        self.literal.append((pos, close + 1))
        self.single.append((pos, close + 1))
        return self._piece(pos, close + 1)

    def _tick(self, pos: int) -> int:
        if self._stack and self._stack[-1].what == "`":
            opened = self._pop()
            self._open_ticks -= 1
            self._depth -= 1
            self.ticks.append((opened, pos + 1))
            self._piece(opened, pos + 1)
        else:
            self._push("`", pos)
            self._open_ticks += 1
            self._depth += 1
            self._piece_end = -1
        return pos + 1

    def _parenthesis(self, pos: int) -> int:
        if self.text.startswith("((", pos) and self._piece_end != pos:
            self._push("((", pos)
            return pos + 2
        self._push("(", pos)
        self._depth += 1
        self._piece_end = -1
        self.amp = -1
        return pos + 1

    def _close_parenthesis(self, pos: int, mode: str) -> int:
        if mode in ("$(", "(") and not self._stack[-1].cases:
            self._close_word(pos + 1)
        self.amp = -1
        return pos + 1

    def _comment(self, pos: int) -> int:
        if self._piece_end == pos:
            return self._piece(pos, pos + 1)
        end = self.text.find("\n", pos)
        end = len(self.text) if end < 0 else end
        if self._open_ticks:
            tick = self.text.find("`", pos, end)  # a backtick closes even if it stands in a comment
            end = end if tick < 0 else tick
        self.comments.append((pos, end))
        return end

    def _operator(self, pos: int) -> int:
        if self.text.startswith("<<", pos) and not self.text.startswith("<<<", pos):
            return self._here(pos)
        found = _OPERATOR.match(self.text, pos)
        end = found.end() if found else pos + 1
        self.tokens.append((self._depth, "o", pos, end))
        self.amp = pos if found and found[0] == "&" and not self._stack else -1
        self._piece_end = -1
        return end

    def _here(self, pos: int) -> int:
        found = _HERE.match(self.text, pos)
        if found is None:
            raise Problem("E104", pos, pos + 2, "this here-document has no end word after <<", "write <<EOF")
        word = found[2]
        quoted = any(char in word for char in "'\"\\")
        tag = re.sub(r"\\(.)|['\"]", r"\1", word) if quoted else word
        self._pending.append((pos, found.end(), tag, bool(found[1]), quoted))
        self.tokens.append((self._depth, "o", pos, found.end()))
        self.amp = -1
        return found.end()

    def _newline(self, pos: int, mode: str) -> int:
        """Handle a line end. Return the next offset to read.

        If the command ends at offset `end`, return -end - 1.
        """
        if self._pending and mode not in ('"', "${"):
            pos = self._bodies(pos)
            if not self._quotes:
                self._check_closed()
                return -pos - 1
            return pos + 1
        if self._quotes:
            opened = self._first_quote
            self._look_for_step(pos + 1, opened)
            self._piece_end = -1
            return pos + 1
        self._check_closed()
        return -pos - 1

    def _bodies(self, newline: int) -> int:
        """Read the pending here-documents, which begin after the line end at `newline`.

        Return the offset where the last one ends.
        """
        lines, starts = self.source.lines, self.source.starts
        line = self.source.line_of(newline)
        for at, end, tag, tabs, quoted in self._pending:
            last = self.here.find(tag, tabs, line)
            if last < 0:
                raise Problem(
                    "E104", at, end, f"this here-document never ends: no line consists of {tag!r} alone",
                    f"put {tag} on a line of its own, with nothing before or after it",
                )  # fmt: skip
            if quoted:
                self.literal.append((starts[line + 1], starts[last]))
            line = last
        self._pending = []
        return starts[line] + len(lines[line])
