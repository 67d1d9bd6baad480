"""The command line for people and pipes. It is a click program, made from a tool's declarations."""

from typing import Any

import click  # noqa: TID253 - this module is the click face, and loaded only as such
import msgspec

from trainsh_base import VERSION
from trainsh_base.errors import Exit, UsageError
from trainsh_base.system.suggest import command_instead, nearest
from trainsh_base.system.units import Duration, format_duration, parse_duration
from trainsh_base.tool.declare import Arg, Command, Opt, Param, Tool
from trainsh_base.tool.examples import examples_of
from trainsh_base.tool.faces.answering import Formats, execute, pair, placeholder, usage_line
from trainsh_base.tool.faces.pager import paged
from trainsh_base.tool.faces.typed import command_words, tool_words
from trainsh_base.tool.schema import describe
from trainsh_base.tool.wire import encode_text

FEW = 6  # options; more are not listed in a message
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def invoke(tool: Tool, words: list[str]) -> int:
    """Parse `words`, run the command that they name, and print its answer. Return the exit status."""
    try:
        group = Group(tool)
        with group.make_context(tool_words(tool.program), words or ["--help"]) as context:
            status = group.invoke(context)
    except click.exceptions.Exit as leave:
        raise Exit(leave.exit_code) from None
    except click.exceptions.NoArgsIsHelpError as error:
        raise UsageError(error.format_message(), code="usage") from None
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.UsageError as error:
        raise _usage(tool, error) from None
    except click.ClickException as error:
        raise UsageError(error.format_message()) from None
    return status if isinstance(status, int) else 0


def _usage(tool: Tool, error: click.UsageError) -> UsageError:
    message = error.format_message().rstrip(".")
    known = tool.commands if error.ctx is None or error.ctx.command.name is None else {}
    path = error.ctx.command_path if error.ctx else tool_words(tool.program)
    if message.startswith("No such command") and known:
        word = message.split("'")[1]
        return UsageError(f"{tool_words(tool.program)} has no command {word!r}", command_instead(word, known))
    if isinstance(error, click.NoSuchOption):
        return UsageError(f"no such option: {error.option_name}", f"{_near(error)}usage: {path} --help")
    if message.startswith("Got unexpected extra argument"):
        return UsageError(_unexpected(message), _usage_of(error.ctx))
    message = _not_a_number(error) or message[:1].lower() + message[1:]
    return UsageError(message, f"{_near(error)}usage: {path} --help")


def _unexpected(message: str) -> str:
    words = message.partition("(")[2].removesuffix(")")
    return f"unexpected argument{'s' if ' ' in words else ''}: {words}"


def _usage_of(context: click.Context | None) -> str:
    """Return the lines of a hint that say how the command is called: the arguments, and the options if few."""
    if context is None or not isinstance(context.command, ToolCommand):
        return ""
    command, help_ = context.command, f"{context.command_path} --help"
    declared = command.tool.commands[command.name or ""]
    options = [f"{p.flag} {p.spec.metavar}".rstrip() for p in declared.params if isinstance(p.spec, Opt)]
    more = f"\noptions: {', '.join(options)}" if 0 < len(options) <= FEW else ""
    return f"{usage_line(context.command_path, declared)}{more}\nhelp: {help_}"


def _not_a_number(error: click.UsageError) -> str:
    """Return the message about a value that is no number, or "" for another error."""
    wanted = {click.INT: "a whole number", click.FLOAT: "a number"}
    if not isinstance(error, click.BadParameter) or error.param is None or error.param.type not in wanted:
        return ""
    flag = next((name for name in error.param.opts if name.startswith("--")), error.param.human_readable_name)
    return f"{flag} takes {wanted[error.param.type]}, not {error.message.partition(' is not ')[0]}"


def _near(error: click.UsageError) -> str:
    """Return a line for the hint, or "" if nothing is similar.

    The line names the option, or the value of an option, that is most similar to what was typed.
    """
    near = None
    if isinstance(error, click.NoSuchOption) and error.ctx:
        known = [name[2:] for param in error.ctx.command.params for name in param.opts if name.startswith("--")]
        near = nearest(error.option_name.lstrip("-"), known)
        near = f"--{near}" if near else None
    elif isinstance(error, click.BadParameter) and error.param and isinstance(error.param.type, click.Choice):
        near = nearest(error.message.partition(" is not ")[0].strip("'"), error.param.type.choices)
    return f"did you mean {near}?\n" if near else ""


class Context(click.Context):
    """A click context whose command path consists of the words that the user typed."""

    @property
    def command_path(self) -> str:
        """The command as the user typed it: `train transfer`, not `train xfer copy`."""
        if isinstance(self.command, ToolCommand) and self.parent:
            return command_words(self.command.tool.program, self.command.name or "")
        return super().command_path


class ToolCommand(click.Command):
    """A command of `tool`. The command's help ends with the tool's examples."""

    context_class = Context
    tool: Tool

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples without wrapping them, so that each can be pasted."""
        examples = examples_of(self.tool.name, self.name or "")
        if examples:
            formatter.write_paragraph()
            formatter.write("Examples:\n" + "".join(f"  {line}\n      {about}\n" for line, about in examples))


class Group(click.Group):
    """The click group of a tool's commands. Each click command is built when click asks for it."""

    def __init__(self, tool: Tool) -> None:
        version = click.Option(
            ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
            help="Show the version and exit.",
        )  # fmt: skip
        super().__init__(name=None, help=tool.summary + ".", params=[version], context_settings=dict(SETTINGS))
        self.tool = tool

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the tool's own commands, and then `schema` and `serve`, which every tool has."""
        return [*self.tool.commands, "schema", "serve"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the click command called `cmd_name`, or None if the tool has no such command."""
        if cmd_name == "schema":
            return _schema(self.tool)
        if cmd_name == "serve":
            return click.Command("serve", help="Serve the commands as JSON-RPC 2.0 on stdin and stdout.")
        command = self.tool.commands.get(cmd_name)
        return build(self.tool, command) if command else None


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        print(f"{ctx.command_path.replace(' ', '-')} {VERSION}")
        ctx.exit()


def _schema(tool: Tool) -> click.Command:
    def print_schema(**_formats: Any) -> int:
        with paged(True):
            print(msgspec.json.format(encode_text(describe(tool)), indent=2))
        return 0

    flag = click.Option(["--json"], is_flag=True, help="Has no effect: the schema is always JSON.")
    return click.Command(
        "schema", callback=print_schema, params=[flag], help="Print JSON Schema of every command.", **_common()
    )


def _common() -> dict[str, Any]:
    return {"context_settings": dict(SETTINGS)}


def build(tool: Tool, command: Command) -> click.Command:
    """Build the click command for one command of `tool`. Its help ends with examples of the command."""
    params = [_parameter(param) for param in command.params]
    built = ToolCommand(
        command.name,
        callback=lambda **values: _run(tool, command, values),
        params=[*params, *_format_options()],
        help=command.help + _arguments_help(command),
        short_help=command.summary,
        **_common(),
    )
    built.tool = tool
    return built


def _arguments_help(command: Command) -> str:
    arguments = [param for param in command.params if isinstance(param.spec, Arg) and param.spec.help]
    if not arguments:
        return ""
    width = max(len(param.flag) for param in arguments) + 2
    return "\n\n\b\n" + "\n".join(f"{param.flag:<{width}}{param.spec.help}" for param in arguments)


def _format_options() -> list[click.Parameter]:
    return [
        click.Option(["--json"], is_flag=True, help="Print the answer as one JSON document."),
        click.Option(
            ["--jsonl"], is_flag=True, help="Print events as JSON, one per line; the last one is the result."
        ),
        click.Option(
            ["--input"],
            metavar="FILE",
            help="Read parameters from a file with a JSON object (- for standard input).",
        ),
        click.Option(["--no-color"], is_flag=True, help="No colours."),
        click.Option(["--no-pager"], is_flag=True, help="Print a long answer without $PAGER or less."),
        click.Option(
            ["-q", "--quiet"], is_flag=True, help="Print only the answer and errors: no progress, no notes."
        ),
        click.Option(
            ["-v", "--verbose", "--debug"], is_flag=True, help="Show the programs that are run (ssh, rsync, ...)."
        ),
    ]


def _parameter(param: Param) -> click.Parameter:
    kind = _click_type(param)
    if isinstance(param.spec, Arg):
        return click.Argument(
            [param.name], required=False, nargs=-1 if param.many else 1, type=kind, metavar=placeholder(param)
        )
    words = [param.name, param.flag + (f"/--no-{param.flag[2:]}" if _switches(param) else "")]
    if param.spec.short:
        words.append(param.spec.short)
    more: dict[str, Any] = {"is_flag": True, "default": None} if param.kind is bool else {"type": kind}
    return click.Option(
        words, help=param.spec.help + _default_text(param), multiple=param.many and param.kind is not bool,
        metavar=None if param.kind is bool else param.spec.metavar or None, **more,
    )  # fmt: skip


def _switches(param: Param) -> bool:
    return param.kind is bool and param.default is not False


def _default_text(param: Param) -> str:
    if param.required or isinstance(param.default, bool) or param.default in (None, "", [], {}):
        return ""
    value = format_duration(param.default) if param.kind is Duration else param.default
    return f"  [default: {value}]"


class DurationType(click.ParamType[float]):
    """A duration on the command line."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the duration in seconds.

        If the text is no duration, click adds the option's name to the error message.
        """
        try:
            return parse_duration(value)
        except UsageError as error:
            self.fail(f"{error.message}; {error.hint}", param, ctx)


def _click_type(param: Param) -> Any:
    if param.choices:
        return click.Choice(param.choices)
    if param.kind is Duration:
        return DurationType()
    return {int: click.INT, float: click.FLOAT}.get(param.kind, click.STRING)


def _run(tool: Tool, command: Command, values: dict[str, Any]) -> int:
    formats = Formats(**{name: values.pop(name) for name in Formats.__struct_fields__})
    return execute(tool, command, formats, _given(command, values))


def _given(command: Command, values: dict[str, Any]) -> dict[str, Any]:
    context = click.get_current_context()
    given = {}
    for param in command.params:
        source = context.get_parameter_source(param.name)
        if source is click.core.ParameterSource.COMMANDLINE and values[param.name] not in (None, ()):
            given[param.key] = _json_value(param, values[param.name])
    return given


def _json_value(param: Param, value: Any) -> Any:
    if isinstance(value, tuple):
        return dict(pair(param, item) for item in value) if _is_map(param) else list(value)
    return value


def _is_map(param: Param) -> bool:
    return getattr(param.kind, "__origin__", None) is dict
