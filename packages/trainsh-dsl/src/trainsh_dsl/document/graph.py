"""The graph of a recipe as data, which `train-dsl graph --json` prints."""

from typing import Literal

from trainsh_dsl.document.plan import Document


class GraphNode(Document, frozen=True, kw_only=True):
    """A thing of a recipe: a step, a session, a host, a storage, this machine, money."""

    id: str
    kind: Literal["step", "session", "host", "storage", "here", "money"]
    label: str
    line: int = 0
    part: Literal["steps", "finally"] = "steps"
    group: str = ""  # the id of the parallel block that contains the step


class GraphEdge(Document, frozen=True, kw_only=True):
    """An arrow from `source` to `target`. `kind` tells what the source does with the target."""

    source: str
    target: str
    kind: Literal["then", "opens", "on", "uses", "closes", "reads", "writes", "fills", "rents", "stops", "value"]


class Graph(Document, frozen=True, kw_only=True):
    """What depends on what in a recipe. The answer is data and a Mermaid flowchart."""

    name: str
    nodes: list[GraphNode]
    edges: list[GraphEdge]
    mermaid: str
