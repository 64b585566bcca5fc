"""Walks over the nodes of an ONNX graph."""

from collections.abc import Callable, Iterator

from onnx import GraphProto, NodeProto


def name_nodes(graph: GraphProto) -> None:
    """Gives every node a name of its own: exporters leave some without."""
    taken: set[str] = set()
    for index, node in enumerate(graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type}_{index}_unnamed"
        taken.add(node.name)


def producers(graph: GraphProto) -> dict[str, NodeProto]:
    return {output: node for node in graph.node for output in node.output}


def upstream(
    start: NodeProto,
    made_by: dict[str, NodeProto],
    follow: Callable[[NodeProto], bool] = lambda _: True,
) -> Iterator[NodeProto]:
    """The nodes that `start` depends on, itself first; those behind a node that is not followed are left out."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        node = waiting.pop()
        if node.name in seen:
            continue
        seen.add(node.name)
        yield node
        if node is start or follow(node):
            waiting.extend(made_by[name] for name in node.input if name in made_by)


def sort_nodes(graph: GraphProto) -> None:
    """Puts every node behind those it depends on, as ONNX demands."""
    made_by = producers(graph)
    done: set[str] = set()
    ordered: list[NodeProto] = []
    for root in graph.node:
        waiting = [(root, False)]
        while waiting:
            node, ready = waiting.pop()
            if node.name in done:
                continue
            if ready:
                done.add(node.name)
                ordered.append(node)
                continue
            waiting.append((node, True))
            waiting.extend((made_by[name], False) for name in node.input if name in made_by)
    copies = [NodeProto.FromString(node.SerializeToString()) for node in ordered]
    del graph.node[:]
    graph.node.extend(copies)
