"""The pooled features as a second output."""

from __future__ import annotations

from dataclasses import replace

from dcrnet_export.ir.graph import Affine, Clamp, Conv, Features, Graph, Node
from dcrnet_runtime.backends.model import FEATURES_NAME
from dcrnet_runtime.errors import DcrnetError


def with_features(graph: Graph) -> Graph:
    """The graph with what its dense head reads as a second output; the first one is as before.

    Args:
        graph: from :func:`dcrnet_export.ir.lowering.lower`.

    Raises:
        DcrnetError: the logits are computed of a map, which no pool has made a vector of.
    """
    graph = _without_the_name(graph)
    nodes, shapes = graph.by_name(), graph.shapes()
    name = graph.nodes[-1].inputs[0]
    while isinstance(nodes[name].op, Conv | Affine | Clamp):
        [name] = nodes[name].inputs
    if shapes[name].side != 1:
        raise DcrnetError(
            "the network's last layers read a map, not pooled features: leave `features` out"
        )
    features = Node(FEATURES_NAME, Features(), (name,))
    return Graph((*graph.nodes[:-1], features, graph.nodes[-1]), graph.ranges)


def _without_the_name(graph: Graph) -> Graph:
    """The graph with the output's name free."""
    if FEATURES_NAME not in graph.by_name():
        return graph
    renamed = {FEATURES_NAME: f"{FEATURES_NAME}.value"}
    nodes = [
        replace(
            node,
            name=renamed.get(node.name, node.name),
            inputs=tuple(renamed.get(each, each) for each in node.inputs),
        )
        for node in graph.nodes
    ]
    ranges = {renamed.get(name, name): limits for name, limits in graph.ranges.items()}
    return Graph(tuple(nodes), ranges)
