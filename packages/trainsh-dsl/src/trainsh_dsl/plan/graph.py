"""Draws the graph of a plan: its steps, sessions, hosts, storages and rentals."""

from collections.abc import Iterator

from trainsh_dsl.document.graph import Graph, GraphEdge, GraphNode
from trainsh_dsl.document.plan import (  # fmt: skip
    AnyStep,
    Control,
    Execute,
    Parallel,
    Plan,
    Ref,
    Sleep,
    Text,
    Transfer,
    Wait,
)
from trainsh_dsl.vocabulary.tool_schemas import Effects

_SHAPES = {
    "step": ("[", "]"), "session": ("([", "])"), "host": ("[[", "]]"), "storage": ("[(", ")]"),
    "here": ("[[", "]]"),
    "money": ("{{", "}}"),
}  # fmt: skip
_LONGEST = 48


def draw(plan: Plan, effects: dict[str, Effects]) -> Graph:
    """The graph of a plan. `effects` maps each verb of the plan, as `tool.verb`, to the effects of the verb."""
    builder = _Builder(plan, effects)
    builder.add()
    return Graph(
        name=plan.name, nodes=builder.nodes, edges=builder.edges, mermaid=_mermaid(builder.nodes, builder.edges)
    )


class _Builder:
    def __init__(self, plan: Plan, effects: dict[str, Effects]) -> None:
        self.plan = plan
        self.effects = effects
        self.nodes: list[GraphNode] = []
        self.edges: list[GraphEdge] = []
        self._known: dict[str, str] = {}  # name of a thing -> id of its node
        self._captured: dict[str, str] = {}
        self._count = 0

    def add(self) -> None:
        for name, host in self.plan.hosts.items():
            self._node(f"host:{name}", "host", f"{name} = {_text(host.spec)}", host.span.line)
        for name, storage in self.plan.storages.items():
            self._node(f"storage:{name}", "storage", f"{name} = {_text(storage.spec)}", storage.span.line)
        ends = self._chain(self.plan.steps, [], "", "steps")
        self._chain(self.plan.finally_, ends, "", "finally")

    def _node(self, key: str, kind: str, label: str, line: int = 0, part: str = "steps", group: str = "") -> str:
        if key not in self._known:
            prefix = {"step": "s", "session": "t", "host": "h", "storage": "d", "here": "l", "money": "m"}[kind]
            self._count += 1
            self._known[key] = f"{prefix}{self._count}"
            self.nodes.append(
                GraphNode(id=self._known[key], kind=kind, label=label, line=line, part=part, group=group)  # type: ignore[arg-type]
            )
        return self._known[key]

    def _edge(self, source: str, target: str, kind: str) -> None:
        edge = GraphEdge(source=source, target=target, kind=kind)  # type: ignore[arg-type]
        if edge not in self.edges[-12:]:
            self.edges.append(edge)

    def _chain(self, steps: list[AnyStep], before: list[str], group: str, part: str) -> list[str]:
        """Add steps that run one after the other. Return the ids of the nodes after which the next step comes."""
        for step in steps:
            if isinstance(step, Parallel):
                block = f"p{step.span.line}"
                ends: list[str] = []
                for branch in step.steps:
                    ends += self._chain([branch], before, block, part)
                before = ends
                continue
            node = self._node(
                f"step:{part}:{step.span.line}:{step.text}:{self._count}",
                "step",
                step.text,
                step.span.line,
                part,
                group,
            )
            for earlier in before:
                self._edge(earlier, node, "then")
            self._uses(step, node)
            before = [node]
        return before

    def _uses(self, step: AnyStep, node: str) -> None:
        if isinstance(step, (Execute, Wait)):
            self._edge(node, self._session(step.session), "uses")
        elif isinstance(step, Transfer):
            for endpoint, kind in ((step.source, "reads"), (step.destination, "writes")):
                self._edge(node, self._place(endpoint.host, endpoint.storage), kind)
        elif isinstance(step, Control):
            self._control(step, node)
        for name in _names(step):
            if name in self._captured:
                self._edge(self._captured[name], node, "value")
        if isinstance(step, Execute) and step.options.capture:
            self._captured[step.options.capture] = node

    def _control(self, step: Control, node: str) -> None:
        if step.tool == "tmux" and step.verb == "open":
            session = self._session(step.session)
            self._edge(node, session, "opens")
            self._edge(session, self._place(step.host, ""), "on")
        elif step.tool == "tmux" and step.verb == "close":
            self._edge(node, self._session(step.session), "closes")
        effects = self.effects.get(f"{step.tool}.{step.verb}", Effects())
        for value in step.args:
            if not isinstance(value, Ref):
                continue
            if value.session:
                self._edge(node, self._session(value.session), "uses")
            elif value.host or value.storage:
                waiting = value.host and self.plan.hosts[value.host].type == "placeholder"
                waiting = waiting and bool(effects.fills or not effects.known)
                self._edge(node, self._place(value.host, value.storage), "fills" if waiting else "uses")
        if effects.rents or effects.releases:
            self._edge(node, self._node("money", "money", "money"), "rents" if effects.rents else "stops")

    def _session(self, name: str) -> str:
        return self._node(f"session:{name}", "session", f"@{name}")

    def _place(self, host: str, storage: str) -> str:
        if host:
            return self._known[f"host:{host}"]
        return self._known[f"storage:{storage}"] if storage else self._node("here", "here", "this machine")


def _text(text: Text) -> str:
    if isinstance(text, str):
        return text
    return "".join(
        part if isinstance(part, str) else f"${part.var}" if part.var else f"${{secret:{part.secret}}}"
        for part in text
    )


def _names(step: AnyStep) -> Iterator[str]:
    """The names of the variables that a step uses in any of its texts."""
    texts: list[object] = []
    if isinstance(step, Execute):
        texts.append(step.command)
    elif isinstance(step, Wait):
        texts.append(step.value)
    elif isinstance(step, Transfer):
        texts += [step.source.path, step.destination.path]
    elif isinstance(step, Control):
        texts += [*step.args, *step.params.values(), *(text for texts in step.lists.values() for text in texts)]
    elif isinstance(step, Sleep):
        texts.append(step.seconds)
    elif not isinstance(step, Parallel):
        texts.append(step.message)
    for text in texts:
        if isinstance(text, list):
            yield from (part.var for part in text if isinstance(part, Ref) and part.var)


def _mermaid(nodes: list[GraphNode], edges: list[GraphEdge]) -> str:
    lines = ["flowchart TD"]
    for part, title in (("steps", ""), ("finally", "finally")):
        found = [node for node in nodes if node.kind == "step" and node.part == part]
        if title and found:
            lines.append(f'    subgraph finally["{title}"]')
        lines += _steps(found)
        if title and found:
            lines.append("    end")
    lines += [f"    {_shape(node)}" for node in nodes if node.kind != "step"]
    lines += [f"    {_arrow(edge)}" for edge in edges]
    return "\n".join(lines) + "\n"


def _steps(nodes: list[GraphNode]) -> list[str]:
    lines: list[str] = []
    group = ""
    for node in nodes:
        if node.group != group:
            if group:
                lines.append("    end")
            if node.group:
                lines.append(f'    subgraph {node.group}["parallel"]')
            group = node.group
        lines.append(f"    {_shape(node)}")
    return [*lines, "    end"] if group else lines


def _shape(node: GraphNode) -> str:
    left, right = _SHAPES[node.kind]
    first, _, more = node.label.partition("\n")
    label = first + (" ..." if more else "")
    label = label if len(label) <= _LONGEST else label[: _LONGEST - 3] + "..."
    return f'{node.id}{left}"{_escaped(label)}"{right}'


def _escaped(label: str) -> str:
    """Escape a label for Mermaid, where HTML entities are written with # in place of &."""
    escaped = "".join(f"#{ord(char)};" if char in '"#;&<>`' or not char.isprintable() else char for char in label)
    return escaped or " "


def _arrow(edge: GraphEdge) -> str:
    if edge.kind == "then":
        return f"{edge.source} --> {edge.target}"
    return f"{edge.source} -. {edge.kind} .-> {edge.target}"
