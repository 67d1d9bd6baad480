"""Knows the names of a recipe: their definitions, their uses, and suggestions for names that are not defined."""

from collections.abc import Iterable, Iterator

from trainsh_base.system.suggest import nearest
from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.document.plan import Ref
from trainsh_dsl.grammar.syntax import Definition

BUILT_IN = ("JOB_ID", "JOB_STATUS", "SWEEP_INDEX")
_CLOSE_LOOKS = 200  # the most calls of difflib for one recipe, so that the time stays linear


class Near:
    """Suggests the known name that is most similar to a word.

    A name that differs by one edit is found in a table. Any other name is found by a call of difflib.
    """

    def __init__(self) -> None:
        self._names: dict[str, None] = {}
        self._shorter: dict[str, str] = {}
        self._looks = _CLOSE_LOOKS

    def add(self, names: Iterable[str]) -> "Near":
        """Add names to the known names. Return this object."""
        for name in names:
            if name not in self._names:
                self._names[name] = None
                for form in _forms(name):
                    self._shorter.setdefault(form, name)
        return self

    def one_edit(self, word: str) -> str | None:
        """A known name that differs from `word` in case or by one edit, or None.

        One edit is a letter added, removed or changed, or two neighbouring letters swapped.
        """
        for form in _forms(word):
            found = self._shorter.get(form)
            if found is not None and found != word and abs(len(found) - len(word)) <= 1:
                return found
        return None

    def find(self, word: str) -> str | None:
        """The known name that is most similar to `word`, or None if none is similar enough."""
        found = self.one_edit(word)
        if found is None and self._looks > 0 and len(word) <= 80:
            self._looks -= 1
            found = nearest(word, list(self._names)[:200])
        return found


def _forms(word: str) -> Iterator[str]:
    folded = word.casefold()[:40]
    yield folded
    if len(folded) > 2:
        for place in range(len(folded)):
            yield folded[:place] + folded[place + 1 :]


class Unknown:
    """A `$NAME` outside of commands that had no definition when it was read."""

    __slots__ = ("end", "in_definition", "name", "start")

    def __init__(self, name: str, start: int, end: int, in_definition: bool) -> None:
        self.name = name
        self.start = start
        self.end = end
        self.in_definition = in_definition


class Scope:
    """Everything that is known about names while a recipe is read."""

    def __init__(self, findings: Findings, captures: Iterable[str], given: Iterable[str]) -> None:
        self.findings = findings
        self.given = frozenset(given)
        self.captures = set(captures)
        self.vars: dict[str, Definition] = {}
        self.hosts: dict[str, Definition] = {}
        self.storages: dict[str, Definition] = {}
        self.known: set[str] = {*BUILT_IN, *self.captures}
        self.easy: dict[str, Ref] = {}  # variables that contain no secret and are not captured
        self.used: set[str] = set()
        self.secret_at_all = "${secret:" in findings.source.text
        self.secrets: set[str] = set()  # variables that contain a secret
        self.unknown: list[Unknown] = []
        # for each `$NAME` that the shell expands: NAME -> the offset of its first use
        self.shell: dict[str, int] = {}
        self.refs: list[tuple[str, int]] = []  # captured variables that the current statement uses
        self.in_finally = False
        # words of statements that could not be read; names in these statements get no further findings
        self.mentioned: set[str] = set()
        self.answers = ""  # the latest verb whose answer may set variables that have no definition
        self.defining = ""

    def find(self, name: str) -> Definition | None:
        """The definition of the variable, host or storage called `name`, or None if nothing has this name."""
        return self.vars.get(name) or self.hosts.get(name) or self.storages.get(name)

    def define(self, definition: Definition) -> None:
        """Add a definition. Report E204 if another definition has the same name."""
        name = definition.name
        before = self.find(name)
        if before is not None:
            line = self.findings.source.place(before.start)[0]
            self.findings.add(
                "E204", definition.name_at, definition.name_at + len(name),
                f"{name} is defined in line {line} already, as a {before.sort}", "give one of the two another name",
            )  # fmt: skip
            self.mentioned.add(name)
            return
        {"var": self.vars, "host": self.hosts, "storage": self.storages}[definition.sort][name] = definition
        if definition.sort == "var":
            self.known.add(name)

    def use(self, name: str, start: int) -> None:
        """Record that the known variable `name` is used at offset `start`."""
        self.used.add(name)
        if name in self.captures:
            self.refs.append((name, start))
        if name == "JOB_STATUS" and not self.in_finally:
            self.findings.add(
                "E507", start, start + len(name) + 1, "$JOB_STATUS is known only in the finally steps",
                "move this step below a line that says finally",
            )  # fmt: skip

    def is_variable(self, name: str) -> bool:
        """Whether `$name` is a variable of the recipe.

        In a definition, only the variables that are defined above it count.
        """
        return name in self.known and name != self.defining

    def static(self, name: str, depth: int = 0) -> str | None:
        """The value of a variable if the recipe alone determines this value, else None."""
        definition = self.vars.get(name)
        if definition is None or name in self.given or name in self.captures or depth > 8:
            return None
        return self.static_text(definition.text, depth + 1)

    def static_text(self, text: object, depth: int = 0) -> str | None:
        """The text with its variables replaced by their values.

        None if the recipe alone does not determine these values.
        """
        if isinstance(text, str):
            return text
        if not isinstance(text, list):
            return None
        parts: list[str] = []
        for part in text:
            value = part if isinstance(part, str) else self.static(part.var, depth) if part.var else None
            if value is None or sum(map(len, parts)) > 10_000:
                return None
            parts.append(value)
        return "".join(parts)
