"""Layers that stay in float inside an int8 graph."""

from __future__ import annotations

from collections.abc import Collection

from dcrnet_export.ir.graph import AvgPool, Clamp, Concat, Graph, MaxPool

_CHANNELWISE = (Clamp, Concat, MaxPool, AvgPool)


def keep_in_float(graph: Graph, layers: Collection[str]) -> Graph:
    """The graph with some convolutions, or sums, computing and giving floats.

    What has no range stays float, so their values lose theirs, and with them the clamps that
    they read (nothing else does) and whatever maps or moves their values channel by channel: a
    feature of a dense block takes what is concatenated behind it along. The convolutions that
    read such values compute in float too and give codes again.

    Args:
        graph: with ranges, from :func:`dcrnet_export.ir.lowering.lower`.
        layers: names of convolutions and sums.
    """
    nodes = graph.by_name()
    dropped = set(layers)
    for name in layers:
        source = nodes[nodes[name].inputs[0]]
        while isinstance(source.op, Clamp | AvgPool):
            dropped.add(source.name)
            source = nodes[source.inputs[0]]
    for node in graph.nodes:
        if isinstance(node.op, _CHANNELWISE) and dropped.intersection(node.inputs):
            dropped.add(node.name)
    kept = {name: limits for name, limits in graph.ranges.items() if name not in dropped}
    return Graph(graph.nodes, kept)
