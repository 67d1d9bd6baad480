"""The commands of train-dsl, and how their results are printed."""

import os
import sys
from typing import Annotated, Any

import msgspec

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.suggest import did_you_mean
from trainsh_base.tool.declare import Arg, Opt, Tool
from trainsh_base.tool.display import colour_wanted
from trainsh_base.tool.program import run
from trainsh_dsl.analysis import Analysis, analyse
from trainsh_dsl.diagnostics import show
from trainsh_dsl.diagnostics.catalogue import Entry, entries
from trainsh_dsl.document.diagnostic import Diagnostic
from trainsh_dsl.document.graph import Graph
from trainsh_dsl.document.plan import Plan
from trainsh_dsl.text import files


def _warm_up() -> None:
    """Parse a text, which loads and computes what every text needs."""
    msgspec.json.encode(parse(text="@local > true", exec_=True))


tool = Tool(
    "dsl", summary="Read, check and format recipes",
    warm_up=_warm_up,
)  # fmt: skip

File = Annotated[str | None, Arg("recipe file, - for standard input", kind="file")]
Text = Annotated[str | None, Opt("the recipe itself instead of a file", metavar="TEXT")]
Given = Annotated[list[str], Opt("a host, storage or variable that the command line sets", metavar="NAME")]
Exec = Annotated[
    bool, Opt("read the text as train exec does: an undefined @name is a configured host", name="--exec")
]
ConfiguredHost = Annotated[list[str], Opt("with --exec: the name of a configured host", metavar="NAME")]
ConfiguredStorage = Annotated[list[str], Opt("with --exec: the name of a configured storage", metavar="NAME")]
Name = Annotated[str | None, Opt("the recipe's name (default: the file's)", metavar="NAME")]
Plugins = Annotated[bool, Opt("ask installed tools for their schemas")]


class Formatted(msgspec.Struct, frozen=True, kw_only=True):
    """The result for one recipe. `changed`: the recipe was not in canonical form.

    `diff`: the diff, if --diff was given.
    """

    name: str
    changed: bool
    text: str
    diff: str
    mode: str


def _tools(plugins: bool) -> Any:
    from trainsh_dsl.vocabulary.tool_schemas import NoTools  # noqa: PLC0415 - a command needs only one of the two

    if not plugins:
        return NoTools()
    from trainsh_dsl.vocabulary.installed_tools import InstalledTools  # noqa: PLC0415 - as above

    return InstalledTools()


def _refused(analysis: Analysis, shown: str, found: list[Diagnostic]) -> UsageError:
    return UsageError(
        show.many(found, shown),
        "" if all(each.severity == "warning" for each in found) else "to explain a code: train dsl explain CODE",
        code="recipe_invalid",
        data={"diagnostics": msgspec.to_builtins(found), "name": analysis.name},
    )


def _recipe_name(file: str | None, name: str | None) -> str:
    if name:
        return name
    return os.path.splitext(os.path.basename(file))[0] if file and file != "-" else "recipe"  # noqa: PTH119, PTH122


@tool.command(show=lambda plan: print(msgspec.json.format(msgspec.json.encode(plan), indent=2).decode()))
def parse(
    file: File = None,
    text: Text = None,
    name: Name = None,
    given: Given = [],  # noqa: B006 - trainsh_base copies the default value
    exec_: Exec = False,
    configured_host: ConfiguredHost = [],  # noqa: B006
    configured_storage: ConfiguredStorage = [],  # noqa: B006
    plugins: Plugins = True,
) -> Plan:
    """Print the plan of a recipe.

    For a recipe with errors no plan is printed: exit 2, and the errors are in data.diagnostics of the error. The
    plan's schema is in `train-dsl schema`; docs/language.md explains it.
    """
    analysis = analyse(
        files.read(file, text), name=_recipe_name(file, name), given=given, tools=_tools(plugins), exec_=exec_,
        hosts=configured_host, storages=configured_storage,
    )  # fmt: skip
    if not analysis.ok:
        raise _refused(analysis, files.shown_name(file or "recipe"), analysis.diagnostics())
    return analysis.plan()


def _show_check(found: list[Diagnostic]) -> None:
    print(show.many(found, _shown_name, style=colour_wanted(sys.stdout)))


_shown_name = "recipe"


def _check_status(found: list[Diagnostic]) -> int:
    return 2 if any(each.severity == "error" for each in found) else 0


@tool.command(show=_show_check, status=_check_status)
def check(
    file: File = None,
    text: Text = None,
    given: Given = [],  # noqa: B006
    exec_: Exec = False,
    strict: Annotated[bool, Opt("treat warnings as errors")] = False,
    plugins: Plugins = True,
) -> list[Diagnostic]:
    """Report everything that is wrong with a recipe.

    Exit status: 0 without errors, 2 with errors. A comment `# train: ignore W203` on or above a line suppresses
    that warning.
    """
    global _shown_name  # noqa: PLW0603 - the output for people shows the name of what was checked
    _shown_name = files.shown_name(file or "recipe")
    hint_of = None
    if plugins and not exec_:
        from trainsh_dsl.vocabulary.installed_tools import host_hint  # noqa: PLC0415 - a tool is asked

        hint_of = host_hint
    analysis = analyse(
        files.read(file, text), name=_shown_name, given=given, tools=_tools(plugins), exec_=exec_, hint_of=hint_of
    )
    found = analysis.diagnostics()
    if strict:
        found = [msgspec.structs.replace(each, severity="error") for each in found]
    return found


def _show_entry(entry: Entry) -> None:
    print(f"{entry.code}: {entry.title}\n\n{entry.text}\n\nWrong:\n")
    print(_indented(entry.wrong), "\n\nwhich is answered by:\n\n", _indented(entry.shown), sep="")
    if entry.right:
        print("\nRight:\n\n", _indented(entry.right), sep="")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.rstrip("\n").split("\n"))


@tool.command(show=_show_entry)
def explain(code: Annotated[str, Arg("the code of a diagnostic, such as E105")]) -> Entry:
    """Explain a diagnostic: its meaning, an example, and how to fix it."""
    known = entries()
    entry = known.get(code.upper())
    if entry is None:
        raise NotFound(
            f"there is no diagnostic {code!r}",
            did_you_mean(code.upper(), known, "the codes are listed in docs/language.md"),
            code="no_diagnostic",
        )
    return entry


def _show_formatted(done: list[Formatted]) -> None:
    for each in done:
        if each.mode == "diff":
            print(each.diff, end="")
        elif each.mode == "print":
            print(each.text, end="")
        elif each.changed:
            print(f"{each.name} {'is not in canonical form' if each.mode == 'check' else 'written'}")


def _format_status(done: list[Formatted]) -> int:
    return 1 if any(each.changed and each.mode in ("check", "diff") for each in done) else 0


@tool.command(show=_show_formatted, status=_format_status)
def fmt(
    files_: Annotated[list[str], Arg("recipe files, - for standard input", metavar="FILE", kind="file")],
    check: Annotated[bool, Opt("print the names of files that would change; exit 1 if there are any")] = False,
    write: Annotated[bool, Opt("write the files")] = False,
    diff: Annotated[bool, Opt("print what would change; exit 1 if there is a change")] = False,
) -> list[Formatted]:
    """Print recipes in canonical form.

    Definitions are aligned, and options get a fixed order; comments, blank lines, commands and here-documents do
    not change. A recipe with syntax errors is not changed: exit 2.
    """
    if write + check + diff > 1:
        raise UsageError("--check, --write and --diff exclude each other")
    mode = "check" if check else "write" if write else "diff" if diff else "print"
    return [_format(file, mode) for file in files_]


def _format(file: str, mode: str) -> Formatted:
    before = files.read(file, None)
    analysis = analyse(before, name=_recipe_name(file, None), tools=_tools(False))
    if analysis.syntax_errors:
        errors = [each for each in analysis.diagnostics() if each.severity == "error"]
        raise _refused(analysis, files.shown_name(file), errors)
    after = analysis.formatted()
    changed = after != before
    if mode == "write" and changed:
        if file == "-":
            raise UsageError("standard input cannot be written", "without --write, the text is printed")
        files.write(file, after)
    name = files.shown_name(file)
    return Formatted(name=name, changed=changed, text=after, diff=files.diff(before, after, name), mode=mode)


def _show_graph(drawn: Graph) -> None:
    print(drawn.mermaid, end="")


@tool.command(show=_show_graph)
def graph(file: File = None, text: Text = None, given: Given = [], plugins: Plugins = True) -> Graph:  # noqa: B006
    """Show what each step of a recipe depends on: steps, sessions, hosts, storages, rented machines.

    Prints a Mermaid flowchart; --json gives the nodes and the edges as data too.
    """
    from trainsh_dsl.plan.graph import draw  # noqa: PLC0415 - only this command needs it

    analysis = analyse(files.read(file, text), name=_recipe_name(file, None), given=given, tools=_tools(plugins))
    if not analysis.ok:
        raise _refused(analysis, files.shown_name(file or "recipe"), analysis.diagnostics())
    return draw(analysis.plan(), analysis.effects())


def main() -> None:
    """Run train-dsl."""
    run(tool)
