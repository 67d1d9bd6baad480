"""Declares a tool and its commands. A command is one typed function; people, pipes and programs can all call it."""

import typing
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from trainsh_base.errors import NotFound, UsageError
from trainsh_base.system.suggest import command_instead, did_you_mean
from trainsh_base.system.units import Duration, decode

Function = TypeVar("Function", bound=Callable[..., Any])
# The kind of a text parameter tells how the text is parsed (duration, size, money, host), and what shells complete.
# They complete file names, or the values that the script share/trainsh/values/KIND.sh of a package prints.
Kind = Literal[
    "", "duration", "size", "money", "host", "recipe", "job", "storage", "secret", "session", "instance", "setting",
    "endpoint", "file", "folder", "command", "recipe-host", "recipe-storage", "recipe-var",
]  # fmt: skip


class Arg(msgspec.Struct, frozen=True):
    """A positional parameter: its help, and its placeholder in the usage line.

    `kind` tells how the values are parsed and completed; in the schema it is `x-kind`. `also` lists other keys by
    which an `--input` document may give this parameter, such as keys of answers and keys of earlier versions.
    """

    help: str
    metavar: str = ""
    kind: Kind = ""
    also: tuple[str, ...] = ()


class Opt(msgspec.Struct, frozen=True):
    """An option: its help, its one-letter form, its placeholder, and its long form if that is not the parameter's
    name.

    `kind` and `also` are as for Arg. With `limits`, the runner sets this option to what is left of the job's limit
    of the same name. With `holds`, the option tells how long the runner keeps the machine of a failed job.
    """

    help: str
    short: str = ""
    metavar: str = ""
    name: str = ""
    kind: Kind = ""
    limits: bool = False
    holds: bool = False
    also: tuple[str, ...] = ()


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """The effects of a command, for other tools of the suite (docs/protocol.md, "Self-description").

    `ensures` is true if the command ensures a state, so that it may be repeated. `fills` names the parameter that
    is given as `@name`; the answer becomes the value of that name. `rents` is true if the command may start
    billing. `releases` is `billing` if the command ends the billing, and `disk` if it also deletes the disk.
    `estimates` names another command whose cost this command tells before anything is rented.
    """

    ensures: bool = False
    fills: str = ""
    rents: bool = False
    releases: Literal["", "billing", "disk"] = ""
    estimates: str = ""


class Param(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of a command, for all faces (command line, pipe, JSON-RPC).

    `kind` is its type, without None.
    """

    name: str
    key: str
    type: Any
    kind: Any
    default: Any
    spec: Arg | Opt

    @property
    def required(self) -> bool:
        """Whether the command cannot run without this parameter."""
        return self.default is msgspec.NODEFAULT

    @property
    def flag(self) -> str:
        """The parameter as a person writes it: `--name`, or the metavar of an argument."""
        if isinstance(self.spec, Arg):
            return self.spec.metavar or self.key.upper()
        return self.spec.name or "--" + self.key.replace("_", "-")

    @property
    def many(self) -> bool:
        """Whether the parameter takes several values: a list, or KEY=VALUE pairs."""
        return typing.get_origin(self.kind) in (list, dict)

    @property
    def choices(self) -> list[str]:
        """The allowed words of an enumeration; empty for other types."""
        return list(typing.get_args(self.kind)) if typing.get_origin(self.kind) is Literal else []


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a command that hands the terminal to another program.

    It has the argv and changes to the environment. The value of a variable is a text, a Secret (shown as *** in
    JSON), or None to remove the variable.
    """

    argv: list[str]
    env: dict[str, Any] = {}


def _params(function: Callable[..., Any]) -> list[Param]:
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    names = code.co_varnames[:count]
    hints = typing.get_type_hints(function, include_extras=True)
    given = function.__defaults__ or ()
    defaults = dict(zip(names[code.co_argcount - len(given) : code.co_argcount], given, strict=True))
    defaults.update(function.__kwdefaults__ or {})
    return [_param(name, hints[name], defaults.get(name, msgspec.NODEFAULT)) for name in names]


def _param(name: str, hint: Any, default: Any) -> Param:
    plain, spec = hint, None
    if typing.get_origin(hint) is Annotated:
        plain, *notes = typing.get_args(hint)
        spec = next((note for note in notes if isinstance(note, (Arg, Opt))), None)
    kind = plain
    if isinstance(plain, UnionType) or typing.get_origin(plain) is typing.Union:
        kinds = [part for part in typing.get_args(plain) if part is not type(None)]
        kind = kinds[0] if len(kinds) == 1 else plain
    return Param(
        name=name,
        key=name.rstrip("_"),
        type=plain,
        kind=kind,
        default=default,
        spec=spec or (Arg("") if default is msgspec.NODEFAULT else Opt("")),
    )


class Command:
    """One command of a tool: its function, how its answer is shown, and how the answer determines the exit
    status.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        show: Callable[[Any], None] | None,
        status: Callable[[Any], int] | None,
        effects: Effects,
    ) -> None:
        self.function = function
        self.name = name
        self.show = show
        self.status = status
        self.effects = effects
        self._parsed: tuple[list[Param], type[msgspec.Struct]] | None = None

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.function.__doc__ or "").strip().split("\n")[0]

    @property
    def help(self) -> str:
        """The whole docstring, without its indentation."""
        from textwrap import dedent  # noqa: PLC0415 - `serve` does without

        first, _, rest = (self.function.__doc__ or "").strip().partition("\n")
        return f"{first}\n{dedent(rest)}".strip()

    @property
    def params(self) -> list[Param]:
        """The parameters, read from the signature when first asked for."""
        return self._read()[0]

    @property
    def document(self) -> type[msgspec.Struct]:
        """A struct type with the parameters as fields. It validates calls, and the JSON Schema is made from it."""
        return self._read()[1]

    @property
    def returns(self) -> Any:
        """The type of the answer."""
        return typing.get_type_hints(self.function).get("return", type(None))

    def _read(self) -> tuple[list[Param], type[msgspec.Struct]]:
        if self._parsed is None:
            params = _params(self.function)
            fields = [(p.name, p.type) if p.required else (p.name, p.type, _fresh(p.default)) for p in params]
            renames = {p.name: p.key for p in params if p.name != p.key}
            document = msgspec.defstruct(
                self.name.title().replace("-", "") + "Params",
                fields,
                kw_only=True,
                forbid_unknown_fields=True,
                rename=renames or None,
            )
            self._parsed = params, document
        return self._parsed

    def call(self, values: dict[str, Any]) -> Any:
        """Validate `values`, whose keys are those of the JSON document, and call the function.

        Raises UsageError, which tells which key is wrong and why. Keys that begin with `_`, such as `_job`, are
        reserved for the runner. If the command does not declare such a key, the function does not get it.
        """
        known = {param.key: param for param in self.params}
        values = self.renamed(values)
        kept = {key: value for key, value in values.items() if key in known or not key.startswith("_")}
        for key in kept:
            if key not in known:
                raise UsageError(
                    f"{self.name} has no parameter {key!r}", did_you_mean(key, known), code="unknown_parameter"
                )
        absent = [param.flag for param in self.params if param.required and param.key not in kept]
        if absent:
            raise UsageError(f"{self.name} needs {' and '.join(absent)}", code="missing_parameter")
        document = self._convert(kept)
        return self.function(**{param.name: _plain(getattr(document, param.name)) for param in self.params})

    def renamed(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of `values`.

        Each key that a parameter's `also` lists is replaced by the parameter's own key.
        """
        others = [(key, param) for param in self.params for key in param.spec.also]
        values = dict(values)
        for key, param in others:
            if key in values and param.key not in values:
                value = values.pop(key)
                listed = typing.get_origin(param.kind) is list and not isinstance(value, list)
                values[param.key] = [value] if listed else value
        return values

    def _convert(self, values: dict[str, Any]) -> msgspec.Struct:
        try:
            return msgspec.convert(values, self.document, dec_hook=decode)
        except msgspec.ValidationError as error:
            from trainsh_base.tool.type_errors import in_words  # noqa: PLC0415 - only an error needs it

            raise UsageError(f"{self.name}: {in_words(str(error))}", code="bad_parameter") from None


def _plain(value: Any) -> Any:
    """Convert a Duration to a float.

    A command may put a Duration into its answer, but msgspec can encode only a float.
    """
    return float(value) if isinstance(value, Duration) else value


def _fresh(default: Any) -> Any:
    """Return a field's default.

    For a list or dict that is not empty, this is a factory, because msgspec copies only empty ones.
    """
    if isinstance(default, (list, dict)) and default:
        return msgspec.field(default_factory=lambda: type(default)(default))
    return float(default) if isinstance(default, Duration) else default


class Tool:
    """A program `train-NAME` and its commands."""

    def __init__(
        self,
        name: str,
        summary: str,
        *,
        provides: tuple[str, ...] = (),
        on_close: Callable[[], None] | None = None,
        warm_up: Callable[[], object] | None = None,
    ) -> None:
        """Declare a tool. `provides` is ("hosts",) for a provider of machines (docs/protocol.md).

        `on_close` is called when the process ends. It closes what the tool keeps open between requests. A spare of
        this tool calls `warm_up` before it waits for clients. It loads and computes what every client will need,
        and must depend on nothing but the tool's own files.
        """
        self.name = name
        self.summary = summary
        self.provides = provides
        self.commands: dict[str, Command] = {}
        self.on_close = on_close
        self.warm_up = warm_up

    @property
    def program(self) -> str:
        """The executable's name."""
        return f"train-{self.name}"

    def command(
        self,
        name: str = "",
        *,
        show: Callable[[Any], None] | None = None,
        status: Callable[[Any], int] | None = None,
        ensures: bool = False,
        fills: str = "",
        rents: bool = False,
        releases: Literal["", "billing", "disk"] = "",
        estimates: str = "",
    ) -> Callable[[Function], Function]:
        """Declare a function as a command.

        `show` prints the answer for people. Without it, tables and key/value lines are printed. `status` computes
        the exit status from the answer. If it is a negative number, the signal of that number ends the process.
        Without `status`, the exit status is 0. The other parameters are those of Effects.
        """
        effects = Effects(ensures=ensures, fills=fills, rents=rents, releases=releases, estimates=estimates)

        def declare(function: Function) -> Function:
            word = name or function.__name__.rstrip("_").replace("_", "-")
            self.commands[word] = Command(function, word, show, status, effects)
            return function

        return declare

    def find(self, name: str) -> Command:
        """Return the command called `name`. Raises NotFound; its hint names the command that was probably meant."""
        if name not in self.commands:
            raise NotFound(
                f"{self.program} has no command {name!r}", command_instead(name, self.commands), code="no_command"
            )
        return self.commands[name]
