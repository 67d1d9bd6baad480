"""Makes the plan of a recipe from its statements."""

from typing import Any, TypeVar

from trainsh_dsl.document import plan as model
from trainsh_dsl.document.plan import Ref, Text
from trainsh_dsl.format import canonical
from trainsh_dsl.grammar.scope import Scope
from trainsh_dsl.grammar.syntax import (
    Close,
    Control,
    Definition,
    Endpoint,
    Execute,
    Node,
    Notify,
    Open,
    Option,
    Parallel,
    Recipe,
    Sleep,
    Transfer,
    Wait,
)  # fmt: skip
from trainsh_dsl.text.shell_state import state_of
from trainsh_dsl.text.source import Source
from trainsh_dsl.vocabulary import specs
from trainsh_dsl.vocabulary.options import REPEATABLE

Kind = TypeVar("Kind", bound=model.Options)


def plan(name: str, source: Source, recipe: Recipe, scope: Scope) -> model.Plan:
    """The plan of a recipe without errors."""
    planner = _Planner(source, scope)
    definitions = recipe.definitions
    return model.Plan(
        version=model.PLAN_VERSION,
        name=name,
        vars={each.name: planner.variable(each) for each in definitions if each.sort == "var"},
        hosts={each.name: planner.host(each) for each in definitions if each.sort == "host"},
        storages={each.name: planner.storage(each) for each in definitions if each.sort == "storage"},
        steps=planner.steps(recipe.steps),
        finally_=planner.steps(recipe.closing),
    )


class _Planner:
    def __init__(self, source: Source, scope: Scope) -> None:
        self.source = source
        self.scope = scope

    def variable(self, node: Definition) -> model.Variable:
        return model.Variable(value=node.text, span=self._span(node))

    def host(self, node: Definition) -> model.Host:
        return model.Host(
            spec=node.text,
            span=self._span(node),
            type=node.type,  # type: ignore[arg-type]
            provider=specs.provider(node.words[0]) if node.type == "provider" else "",
            implied=node.implied,
        )

    def storage(self, node: Definition) -> model.Storage:
        return model.Storage(spec=node.text, span=self._span(node), type=node.type, implied=node.implied)  # type: ignore[arg-type]

    def steps(self, nodes: list[Node]) -> list[model.AnyStep]:
        return [self._step(node) for node in nodes]

    def _rendered(self, command: Text) -> str:
        """The command as text. A variable is replaced by its value if the recipe alone determines this value."""
        if isinstance(command, str):
            return command
        parts = (part if isinstance(part, str) else self.scope.static_text([part]) for part in command)
        return "".join("$UNKNOWN" if part is None else part for part in parts)

    def _span(self, node: Node) -> model.Span:
        return self.source.span(node.start, node.end)

    def _step(self, node: Node) -> model.AnyStep:
        text, span = canonical.statement(node), self._span(node)
        if isinstance(node, Execute):
            return model.Execute(
                text=text, span=span, session=node.session, command=node.command, background=node.background,
                state="" if node.background else state_of(self._rendered(node.command)),
                options=_options(node.options, model.ExecuteOptions),
            )  # fmt: skip
        general = _options(node.options, model.Options) if not isinstance(node, Transfer) else model.Options()
        if isinstance(node, Wait):
            return model.Wait(
                text=text,
                span=span,
                session=node.session,
                condition=node.condition,
                value=node.value,
                options=general,
            )
        if isinstance(node, Transfer):
            return model.Transfer(
                text=text, span=span, source=self._endpoint(node.source),
                destination=self._endpoint(node.destination),
                options=_options(node.options, model.TransferOptions),
            )  # fmt: skip
        if isinstance(node, Notify):
            return model.Notify(text=text, span=span, message=node.message, options=general)
        if isinstance(node, Sleep):
            return model.Sleep(text=text, span=span, seconds=node.seconds, options=general)  # type: ignore[arg-type]
        if isinstance(node, Parallel):
            return model.Parallel(text=text, span=span, steps=self.steps(node.steps))
        return self._control(node, text, span, general)

    def _control(self, node: Node, text: str, span: model.Span, general: model.Options) -> model.Control:
        if isinstance(node, Open):
            return model.Control(
                text=text, span=span, implied=node.implied, tool="tmux", verb="open", host=node.host,
                session=node.session,
                options=general,
            )  # fmt: skip
        if isinstance(node, Close):
            return model.Control(
                text=text, span=span, tool="tmux", verb="close", session=node.session, options=general
            )
        assert isinstance(node, Control), "there is no other kind"
        args = [self._argument(value) for _, value in node.args]
        host = next((value.host for value in args if isinstance(value, Ref) and value.host), "")
        values: dict[str, list[Text]] = {}
        for option in node.params:
            values.setdefault(option.key, []).append(option.value)  # type: ignore[arg-type]
        return model.Control(
            text=text, span=span, tool=node.tool, verb=node.verb, host=host, args=args,
            params={key: found[0] for key, found in values.items() if len(found) == 1},
            lists={key: found for key, found in values.items() if len(found) > 1},
            options=general,
        )  # fmt: skip

    def _argument(self, value: Text | Ref) -> Text | Ref:
        if not isinstance(value, Ref) or not value.host:
            return value
        if value.host in self.scope.hosts:
            return value
        return Ref(storage=value.host) if value.host in self.scope.storages else Ref(session=value.host)

    def _endpoint(self, endpoint: Endpoint) -> model.Endpoint:
        name = endpoint.name
        place = "storage" if name in self.scope.storages else "host"
        return model.Endpoint(path=endpoint.path, expand=endpoint.expand, **({place: name} if name else {}))


def _options(found: list[Option], kind: type[Kind]) -> Kind:
    values: dict[str, Any] = {}
    for option in found:
        if option.key in REPEATABLE:
            earlier = values.setdefault(option.key, [])
            assert isinstance(earlier, list)
            earlier.append(option.value)
        else:
            values[option.key] = option.value
    return kind(**values)
