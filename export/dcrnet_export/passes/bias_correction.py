"""Kernels rounded so that what a clamp has cut off stays exactly cut off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dcrnet_export.ir.folding import answer_to
from dcrnet_export.ir.graph import Array, AvgPool, Clamp, Conv, Graph

Rounding = Callable[[Array], Array]
"""(out, in / groups, k, k) to the nearest kernel that a file can hold."""


def correct_biases(graph: Graph, rounding: Rounding) -> Graph:
    """Round the kernels that read clamps and correct their biases.

    ``W max(x, t) + w`` with ``w = w0 - W t`` gives w0 where x is below t: two large terms
    cancel, and rounding W alone leaves ``(W' - W) t`` of them. With ``w0 - W' t`` in place of w
    the error is ``(W' - W) (max(x, t) - t)``, as it would be behind a ReLU. A limit outside the
    value's range never acts; there the nearer end of the range takes its place.

    Args:
        graph: from :func:`dcrnet_export.ir.lowering.lower`; without ranges it stays as it is.
        rounding: as the emitter rounds.
    """
    nodes = []
    limits: dict[str, Array] = {}
    for node in graph.nodes:
        given = limits.get(node.inputs[0]) if node.inputs else None
        match node.op:
            case Clamp() as clamp if node.inputs[0] in graph.ranges:
                limits[node.name] = _limit(clamp, graph.ranges[node.inputs[0]])
            case AvgPool() if given is not None:
                limits[node.name] = given
            case Conv() as conv if given is not None:
                node = replace(node, op=_rounded(conv, given, rounding))
        nodes.append(node)
    return Graph(tuple(nodes), graph.ranges)


def _limit(clamp: Clamp, limits: Array) -> Array:
    """The (C,) value of each channel while its clamp acts; 0 where it has no limit."""
    acting = np.where(np.isfinite(clamp.low), clamp.low, clamp.high)
    return np.clip(np.where(np.isfinite(acting), acting, 0.0), *limits)


def _rounded(conv: Conv, given: Array, rounding: Rounding) -> Conv:
    weight = rounding(conv.weight)
    lost = answer_to(replace(conv, weight=conv.weight - weight), given)
    return replace(conv, weight=weight, bias=conv.bias + lost)
