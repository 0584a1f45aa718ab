"""What float16 can hold, and the graph brought within it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dcrnet_export.ir.folding import answer_to, kernel_inputs
from dcrnet_export.ir.graph import (
    Affine,
    Array,
    AvgPool,
    Clamp,
    Conv,
    Features,
    Graph,
    Node,
    Softmax,
)

FP16_LARGEST = float(np.finfo(np.float16).max)


def is_sound_in_fp16(node: Node) -> bool:
    """Whether a node may compute in float16.

    The outputs may not, since they leave the graph in float32; nor may a
    convolution or an affine map with a weight that float16 cannot hold.
    """
    match node.op:
        case Softmax() | Features():
            return False
        case Conv():
            return _fits(node.op.weight) and _fits(node.op.bias)
        case Affine():
            return _fits(node.op.scale) and _fits(node.op.shift)
        case _:
            return True


def round_to_fp16(weight: Array) -> Array:
    """The nearest float16 values."""
    return weight.astype(np.float16).astype(np.float64)


def fit_to_fp16(graph: Graph) -> Graph:
    """The graph with all clamps' limits within float16, the same function of what fits in it.

    A BN with a tiny gamma has its threshold far from anything that the channel shows. A limit
    that never acts is dropped; behind one that always does the channel is the constant t, and
    ``W t`` goes into the reader's bias, its column becoming 0.
    """
    fixed: dict[str, Array] = {}  # value -> (C,) constants, NaN where a channel is none
    nodes = []
    for node in graph.nodes:
        given = fixed.get(node.inputs[0]) if node.inputs else None
        match node.op:
            case Clamp() as clamp:
                clamp, fixed[node.name] = _without_far_limits(clamp)
                node = replace(node, op=clamp)
            case AvgPool() if given is not None:
                fixed[node.name] = given
            case Conv() as conv if given is not None:
                node = replace(node, op=_with_constants(conv, given))
        nodes.append(node)
    return Graph(tuple(nodes), graph.ranges)


def _without_far_limits(clamp: Clamp) -> tuple[Clamp, Array]:
    low, high = clamp.low.copy(), clamp.high.copy()
    constants = np.full_like(low, np.nan)
    for limit, far in ((low, low > FP16_LARGEST), (high, high < -FP16_LARGEST)):
        constants[far] = limit[far]
    always = np.isfinite(constants)
    low[always | (low < -FP16_LARGEST)] = -np.inf
    high[always | (high > FP16_LARGEST)] = np.inf
    return Clamp(low, high), constants


def _with_constants(conv: Conv, constants: Array) -> Conv:
    known = np.isfinite(constants)
    live = kernel_inputs(conv, np.where(known, 0.0, 1.0))[:, :, None, None]
    shift = answer_to(conv, np.where(known, constants, 0.0))
    return replace(conv, weight=conv.weight * live, bias=conv.bias + shift)


def _fits(values: Array) -> bool:
    return bool((np.abs(values) <= FP16_LARGEST).all())
