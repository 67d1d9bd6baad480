"""Reads `$NAME`, `${NAME}` and `${secret:NAME}` outside of commands: in words, specs, patterns, messages and
values.
"""

import re

from trainsh_dsl.document.plan import Ref, Text
from trainsh_dsl.grammar.scope import Scope, Unknown
from trainsh_dsl.text.patterns import lazy
from trainsh_dsl.text.word import Word

NAME = lazy(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NAMES = lazy(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_QUOTES = lazy(r"'([^']*)'|\"((?>(?:[^\"\\]++|\\.)*))\"|[^'\"]+", re.DOTALL)
_DOLLAR = lazy(r"\\([\"$\\])|\$\{([^{}\n]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)|\$\{")
_VALUE_DOLLAR = lazy(r"\\(\$)|\$\{([^{}\n]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)|\$\{")


def unbroken(text: str) -> str:
    """The text on one line.

    Each backslash at the end of a line is replaced by one space, together with the blanks around it.
    """
    if "\\\n" not in text:
        return text
    first, *middle, last = text.split("\\\n")
    return " ".join([first.rstrip(" \t"), *(part.strip(" \t") for part in middle), last.lstrip(" \t")])


def joined(parts: list[str | Ref]) -> Text:
    """Join parts into a `Text`. Strings that follow each other are merged.

    If only one string remains, a plain str is returned.
    """
    merged: list[str | Ref] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    if not merged:
        return ""
    return merged[0] if len(merged) == 1 and isinstance(merged[0], str) else merged


def easy(scope: Scope, text: str) -> list[str | Ref] | None:
    """The parts of `text`, which must not contain backslashes.

    The result is None if `text` contains a `$` that is not followed by a name in `scope.easy`.
    """
    pieces = _NAMES.split(text)
    parts: list[str | Ref] = [pieces[0]] if pieces[0] else []
    known, used = scope.easy, scope.used
    for place in range(1, len(pieces), 3):
        ref = known.get(pieces[place] or pieces[place + 1])
        if ref is None:
            return None
        used.add(ref.var)
        parts.append(ref)
        if pieces[place + 2]:
            parts.append(pieces[place + 2])
    return parts if len(pieces) > 1 and text.count("$") == len(pieces) // 3 else None


class Reader:
    """Reads the texts of one recipe and resolves the names in them."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def word(self, word: Word, *, pattern: bool = False, no_secret: str = "") -> Text:
        """The text of a word, with quotes removed and variables resolved.

        If `pattern` is true, the word is a regular expression, in which a `$` without a name is left unchanged. If
        `no_secret` is given, a secret is an error: the text `no_secret` names the place in the error's message.
        """
        raw = word.raw
        if "$" not in raw and "'" not in raw and '"' not in raw and "\\" not in raw:
            return raw
        plain = raw[1:-1] if raw[0] == raw[-1] == '"' and len(raw) > 1 else raw
        if "\\" not in plain and "'" not in plain and '"' not in plain:
            if "$" not in plain:
                return plain
            found_easily = easy(self.scope, plain)
            if found_easily is not None:
                return found_easily
        if "'" not in raw and '"' not in raw:
            return joined(self._parts(raw, word.start, False, pattern, no_secret))
        parts: list[str | Ref] = []
        for found in _QUOTES.finditer(raw):
            group = found.lastindex or 0
            chunk = found[group]
            if "\\\n" in chunk:
                chunk = unbroken(chunk)
            parts += self._parts(chunk, word.start + found.start(group), group == 2, pattern, no_secret)
        return joined(parts)

    def rest(self, raw: str, at: int) -> Text:
        """The value of a definition, with variables resolved.

        `raw` is the text of the value, and `at` its offset.
        """
        if "\\\n" in raw:
            raw = unbroken(raw)
        return joined(self._parts(raw, at, False, False, "")) if "$" in raw else raw

    def _parts(self, chunk: str, at: int, double: bool, pattern: bool, no_secret: str) -> list[str | Ref]:
        if "$" not in chunk and not (double and "\\" in chunk):
            return [chunk]
        parts: list[str | Ref] = []
        done = 0
        for found in (_DOLLAR if double else _VALUE_DOLLAR).finditer(chunk):
            start = found.start()
            if start > done:
                parts.append(chunk[done:start])
            parts.append(self._one(found, at + start, pattern, no_secret, chunk[found.end() : found.end() + 80]))
            done = found.end()
        if done < len(chunk):
            parts.append(chunk[done:])
        return parts

    def _one(self, found: re.Match[str], at: int, pattern: bool, no_secret: str, rest: str) -> str | Ref:
        whole = found[0]
        if found[1]:
            return whole if pattern and found[1] == "$" else found[1]
        name = found[3] or found[2]
        end = at + len(whole)
        if name is None or (found[3] is None and not NAME.match(name)):
            return self._odd(whole, name, at, end, pattern, no_secret, rest)
        if not self.scope.is_variable(name):
            if self.scope.answers and name != self.scope.defining:
                return Ref(var=name)
            self.scope.unknown.append(Unknown(name, at, end, bool(self.scope.defining)))
            return whole
        self.scope.use(name, at)
        if no_secret and name in self.scope.secrets:
            self._refuse(f"${name} holds a secret, which", at, end, no_secret)
        return Ref(var=name)

    def _odd(
        self, whole: str, inner: str | None, at: int, end: int, pattern: bool, no_secret: str, rest: str
    ) -> str | Ref:
        """Resolve a `${...}` that is not `${NAME}`: a secret, part of a regular expression, or an error."""
        inner = inner or ""
        if inner.startswith("secret:"):
            return self.secret(inner[7:], at, end, no_secret)
        if pattern:
            return whole
        if whole == "${":
            name = re.match(r"[A-Za-z_]\w*", rest)
            self.scope.used.update([name[0]] if name else [])
            self.scope.findings.add(
                "E508", at, end, "this ${ is never closed", "write ${NAME}, or \\${ for the text"
            )
        else:
            base = re.match(r"[#!]?([A-Za-z_]\w*)", inner)
            self.scope.used.update([base[1]] if base else [])
            hint = f"write ${{{base[1]}}}" if base and base[1] in self.scope.known else "write ${NAME}"
            self.scope.findings.add(
                "E508", at, end, f"{whole} is not a variable: only the form ${{NAME}} is allowed here", hint
            )
        return whole

    def secret(self, name: str, at: int, end: int, no_secret: str) -> str | Ref:
        """Resolve `${secret:NAME}`.

        If `no_secret` is not "", the secret is reported as an error. Then `no_secret` tells where the secret
        stands.
        """
        if not NAME.match(name):
            self.scope.findings.add(
                "E505",
                at,
                end,
                f"{name!r} is not the name of a secret",
                "write ${secret:NAME}, as in ${secret:HF_TOKEN}",
            )
            return ""
        if no_secret:
            self._refuse("a secret", at, end, no_secret)
        return Ref(secret=name)

    def _refuse(self, what: str, at: int, end: int, place: str) -> None:
        self.scope.findings.add(
            "E504", at, end, f"{what} is not allowed in {place}: its value would be stored there in clear",
            "use it in a command, where it becomes an environment variable of the step",
        )  # fmt: skip
