"""The graph of a recipe."""

from dsl_samples import analysed
from trainsh_dsl.document.graph import Graph
from trainsh_dsl.plan.graph import draw

TEXT = """\
host gpu = placeholder
storage out = r2:b
acme.pick @gpu
tmux.open @gpu as w
parallel
@w capture=X > date
sleep 1s
end
notify "it's $X \\"x\\""
@gpu:/a -> @out:/b
finally
acme.stop
tmux.close @w
"""


def _drawn() -> Graph:
    analysis = analysed(TEXT)
    return draw(analysis.plan(), analysis.effects())


def test_graph() -> None:
    graph = _drawn()
    names = {node.id: node.label for node in graph.nodes}
    edges = {(names[edge.source], names[edge.target], edge.kind) for edge in graph.edges}
    assert ("acme.pick @gpu", "gpu = placeholder", "fills") in edges
    assert ("acme.pick @gpu", "money", "rents") in edges
    assert ("acme.stop", "money", "stops") in edges
    assert ("tmux.open @gpu as w", "@w", "opens") in edges
    assert ("@w", "gpu = placeholder", "on") in edges
    assert ("tmux.open @gpu as w", "sleep 1s", "then") in edges
    assert ("sleep 1s", 'notify "it\'s $X \\"x\\""', "then") in edges
    assert ("@w capture=X > date", 'notify "it\'s $X \\"x\\""', "value") in edges
    assert ("@gpu:/a -> @out:/b", "out = r2:b", "writes") in edges
    assert {node.part for node in graph.nodes if node.label == "acme.stop"} == {"finally"}
    assert {node.group for node in graph.nodes if node.label == "sleep 1s"} == {"p5"}


def test_mermaid_has_no_bare_quotes() -> None:
    lines = _drawn().mermaid.splitlines()
    assert lines[0] == "flowchart TD"
    assert all(line.count('"') in (0, 2) for line in lines)
    assert sum(line.strip().startswith("subgraph") for line in lines) == sum(
        line.strip() == "end" for line in lines
    )
