"""A torch network as an intermediate graph, everything foldable folded.

Any network of convolutions, batch norms, ReLU, ReLU6 and clamps, sums, concatenations, pools,
dense layers and sigmoid gates is taken, however its modules are cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor, nn

from dcrnet_export.ir.functions import to_array
from dcrnet_export.ir.graph import (
    Add,
    Affine,
    Array,
    AvgPool,
    Conv,
    Gate,
    Graph,
    Input,
    MaxPool,
    Node,
    Sigmoid,
    Softmax,
)
from dcrnet_export.ir.naming import common_prefix, names_of
from dcrnet_export.ir.simplification import derived_range, simplified
from dcrnet_export.ir.tracing import trace
from dcrnet_export.ir.transcription import merge_shared_layers, steps_of
from dcrnet_runtime.backends.model import INPUT_NAME, OUTPUT_NAME
from dcrnet_runtime.preprocess.spec import ZERO_CODE


def lower(network: nn.Module, size_px: int, ranges: Mapping[str, Tensor] | None = None) -> Graph:
    """The network's function at one size, exact but for float rounding.

    Args:
        network: (N, 3, S, S) uint8 codes to logits, in eval mode.
        size_px: side of the input.
        ranges: what :func:`dcrnet_edge.models.activation_ranges.activation_ranges` saw at that
            size; the graph's ranges are derived from it. Without it the graph has none.

    Raises:
        DcrnetError: the network computes what an exported file cannot.
    """
    return arranged(simplified(transcribed(network, size_px, ranges)))


def transcribed(
    network: nn.Module, size_px: int, ranges: Mapping[str, Tensor] | None = None
) -> Graph:
    """The network call by call, nothing folded; the arguments are those of :func:`lower`."""
    steps = merge_shared_layers(steps_of(trace(network, size_px)))
    names = names_of(steps)
    nodes = [
        Node(INPUT_NAME, Input(size_px)),
        Node(names[0], Affine(np.ones(3), np.full(3, float(ZERO_CODE))), (INPUT_NAME,)),
        *(Node(names[s.number], s.op, tuple(names[each] for each in s.inputs)) for s in steps),
        Node(OUTPUT_NAME, Softmax(), (names[steps[-1].number],)),
    ]
    if not ranges:
        return Graph(tuple(nodes))
    seen = {
        names[step.number]: to_array(ranges[path])
        for step in steps
        for path in reversed(step.givers)
        if path in ranges
    }
    return Graph(tuple(nodes), _ranges(nodes, seen))


def arranged(graph: Graph) -> Graph:
    """Nodes in the order of their distance from the input, with short names."""
    depth: dict[str, int] = {}
    for node in graph.nodes:
        depth[node.name] = 1 + max((depth[name] for name in node.inputs), default=0)
    nodes = sorted(graph.nodes, key=lambda node: depth[node.name])
    prefix = common_prefix([*depth])
    short = {name: name.removeprefix(prefix) for name in depth}
    renamed = [Node(short[n.name], n.op, tuple(short[each] for each in n.inputs)) for n in nodes]
    return Graph(tuple(renamed), {short[name]: each for name, each in graph.ranges.items()})


def _ranges(nodes: Sequence[Node], seen: Mapping[str, Array]) -> dict[str, Array]:
    """The range of each value, where calibration saw it or it follows from others.

    A convolution without a range at its input keeps none: that part of the graph stays float.
    """
    ranges: dict[str, Array] = {}
    ops = {node.name: node.op for node in nodes}
    for node in nodes:
        limits: Array | None
        known = [ranges.get(name) for name in node.inputs]
        match node.op:
            case Input():
                limits = np.array([[0.0 - ZERO_CODE] * 3, [255.0 - ZERO_CODE] * 3])
            case Conv() if known[0] is None:
                continue
            case Conv() | Add() | Gate() | MaxPool() if node.name in seen:
                limits = seen[node.name]
            case AvgPool() if node.name in seen and known[0] is not None:
                limits = seen[node.name]
            case Gate() if isinstance(ops[node.inputs[1]], Sigmoid):
                limits = _gated(known[0])
            case _:
                limits = derived_range(node.op, known)
        if limits is not None:
            ranges[node.name] = limits
    return ranges


def _gated(limits: Array | None) -> Array | None:
    """A (2, C) range times a gate of 0..1."""
    if limits is None:
        return None
    return np.stack([np.minimum(limits[0], 0.0), np.maximum(limits[1], 0.0)])
