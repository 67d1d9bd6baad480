"""Finds names that are defined but not used, and names that are used but not defined."""

from trainsh_dsl.checks.flow import Flow
from trainsh_dsl.diagnostics.findings import Findings
from trainsh_dsl.document.plan import Ref
from trainsh_dsl.grammar.scope import Near, Scope
from trainsh_dsl.grammar.syntax import Definition, Execute, Recipe, every
from trainsh_dsl.text.patterns import lazy

_ASSIGNED = lazy(
    r"(?:\b([A-Za-z_]\w*)\+?=|\bfor[ \t]+([A-Za-z_]\w*)|\bread[ \t]+((?:-\w+[ \t]+)*[A-Za-z_][\w \t]*))"
)
_FROM_SHELL = frozenset(
    (
        "BASH", "BASHPID", "COLUMNS", "CONDA_PREFIX", "CUDA_HOME", "CUDA_VISIBLE_DEVICES", "DISPLAY",
        "EDITOR", "EUID",
        "HOME", "HOSTNAME", "IFS", "LANG", "LD_LIBRARY_PATH", "LINES", "LOGNAME", "OLDPWD", "OPTARG", "OPTIND",
        "OSTYPE", "PATH", "PIPESTATUS", "PPID", "PS1", "PWD", "PYTHONPATH", "RANDOM", "SECONDS", "SHELL",
        "SHLVL", "TERM",
        "TMPDIR", "TMUX", "UID", "USER", "VIRTUAL_ENV",
    )
)  # fmt: skip


def unknown(scope: Scope, findings: Findings) -> None:
    """Report E501 or E209 for each `$NAME` that is not in a command and has no definition anywhere in the
    recipe.
    """
    near = Near().add(scope.known) if scope.unknown else Near()
    told: set[str] = set()
    for use in scope.unknown:
        name = use.name
        if name in scope.vars and use.in_definition:
            line = findings.source.place(scope.vars[name].start)[0]
            message = f"${name} is used before it has a value (it gets one in line {line})"
            hint = "a variable may use those defined above it: move the definitions"
            findings.add("E209", use.start, use.end, message, hint)
        elif name not in scope.known and name not in told:
            told.add(name)
            findings.add(
                "E501", use.start, use.end, f"{name} is not defined in this recipe", _meant(name, scope, near)
            )
        scope.used.add(name)


def _meant(name: str, scope: Scope, near: Near) -> str:
    other = scope.find(name)
    if other is not None and other.sort != "var":
        return f"{name} is a {other.sort}: write @{name}"
    found = near.find(name)
    if found is None:
        return f"define it above the steps: var {name} = ..."
    scope.used.add(found)
    return f"did you mean ${found}?"


def unused(recipe: Recipe, scope: Scope, flow: Flow, findings: Findings) -> None:
    """Report W301, W204 and W205: names that are defined but not used."""
    for definition in recipe.definitions:
        name = definition.name
        if definition.implied or name in flow.mentioned or scope.find(name) is not definition:
            continue
        if definition.sort == "var":
            if name not in scope.used:
                _never(findings, "W301", definition, f"variable {name} is never used")
        elif name not in flow.used:
            kind = "placeholder" if definition.type == "placeholder" else definition.sort
            code = "W204" if kind == "placeholder" else "W205"
            _never(findings, code, definition, f"{kind} {name} is never used")
    for step in every(recipe.steps + recipe.closing) if scope.captures else ():
        if isinstance(step, Execute) and step.captures and step.captures not in scope.used:
            option = next(option for option in step.options if option.key == "capture")
            findings.add(
                "W301", option.word.start, option.word.end, f"variable {step.captures} is captured and never used",
                f"use ${step.captures} in a later step, or remove the capture",
            )  # fmt: skip


def _never(findings: Findings, code: str, definition: Definition, message: str) -> None:
    findings.add(
        code, definition.name_at, definition.name_at + len(definition.name), message, "use it, or remove it"
    )


def near_misses(recipe: Recipe, scope: Scope, findings: Findings) -> None:
    """Report W303 for a `$NAME` that is left to the shell although it is probably a misspelt variable of the
    recipe.
    """
    names = [name for name in scope.known if len(name) > 2]
    if not scope.shell or not names:
        return
    near = Near().add(names)
    assigned: set[str] | None = None
    for name, at in scope.shell.items():
        if name in _FROM_SHELL:
            continue
        found = _beginning(name, scope.known) or near.one_edit(name)
        if found is None:
            continue
        if assigned is None:
            assigned = _assigned(recipe)
        if name in assigned:
            continue
        braces = f"${{{found}}}{name[len(found) :]}" if name.startswith(found) else f"${found}"
        scope.used.add(found)
        findings.add(
            "W303", at, at + len(name) + 1,
            f"${name} is not defined in this recipe: the shell replaces it with an empty text",
            f"did you mean {braces}?",
        )  # fmt: skip


def _beginning(name: str, known: set[str]) -> str | None:
    """The longest NAME among the known names such that `name` begins with `NAME_`.

    None if there is no such NAME.
    """
    place = name.rfind("_")
    while place > 1:
        if name[:place] in known:
            return name[:place]
        place = name.rfind("_", 0, place)
    return None


def _assigned(recipe: Recipe) -> set[str]:
    found: set[str] = set()
    for step in every(recipe.steps + recipe.closing):
        if isinstance(step, Execute):
            parts = [step.command] if isinstance(step.command, str) else step.command
            for part in parts:
                if isinstance(part, Ref):
                    continue
                for match in _ASSIGNED.finditer(part):
                    found.update((match[1] or match[2] or match[3]).split())
    return found
