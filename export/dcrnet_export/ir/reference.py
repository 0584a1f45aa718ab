"""A numpy executor of the intermediate graph, in float64: what the emitters are held to."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from dcrnet_export.ir.graph import (
    Add,
    Affine,
    Array,
    AvgPool,
    Axis,
    Clamp,
    Concat,
    Conv,
    Features,
    Gate,
    Graph,
    Input,
    MaxPool,
    Op,
    Reduce,
    Reduction,
    Sigmoid,
    Softmax,
)
from dcrnet_runtime.preprocess.spec import ZERO_CODE


def run_reference(graph: Graph, codes: NDArray[np.uint8]) -> dict[str, Array]:
    """Every value of the graph for one image.

    Args:
        graph: from :func:`dcrnet_export.ir.lowering.lower`.
        codes: (S, S, 3) uint8.

    Returns:
        (C, side, side) float64 by name.
    """
    values: dict[str, Array] = {}
    for node in graph.nodes:
        if isinstance(node.op, Input):
            values[node.name] = codes.transpose(2, 0, 1).astype(np.float64) - ZERO_CODE
        else:
            values[node.name] = compute(node.op, [values[name] for name in node.inputs])
    return values


def compute(op: Op, inputs: list[Array]) -> Array:
    """One operation on (C, side, side) maps."""
    x = inputs[0]
    match op:
        case Conv():
            y = convolve(x, op.weight, op) + _per_channel(op.bias)
            return np.clip(y, 0.0, op.ceiling) if op.relu else y
        case Affine():
            y = _per_channel(op.scale) * x + _per_channel(op.shift)
            return np.maximum(y, 0.0) if op.relu else y
        case Clamp():
            return np.clip(x, _per_channel(op.low), _per_channel(op.high))
        case Concat():
            return np.concatenate(inputs)
        case MaxPool():
            return max_pool(x, op)
        case AvgPool():
            return _windows(x, op.kernel, op.stride).mean(axis=(3, 4))
        case Add():
            return x + inputs[1]
        case Gate():
            return x * inputs[1]
        case Reduce():
            axis = (1, 2) if op.axis is Axis.SPACE else 0
            reduce = np.mean if op.reduction is Reduction.MEAN else np.max
            return reduce(x, axis=axis, keepdims=True)
        case Sigmoid():
            return 0.5 + 0.5 * np.tanh(0.5 * x)  # exp would overflow
        case Features():
            return x
        case Softmax():
            exponential = np.exp(x - x.max())
            return exponential / exponential.sum()
        case _:
            raise TypeError(f"no value for {type(op).__name__}")


def convolve(x: Array, weight: Array, conv: Conv) -> Array:
    """(C, H, H) to (O, H', H') without bias, zero-padded; exact for integers below 2^53.

    Args:
        weight: (O, C / groups, k, k), in place of the convolution's own.
        conv: its stride, padding and groups.
    """
    kernel = weight.shape[2]
    x = np.pad(x, ((0, 0), conv.padding, conv.padding))
    windows = _windows(x, kernel, conv.stride)
    height, width = windows.shape[1:3]
    columns = windows.transpose(0, 3, 4, 1, 2).reshape(conv.groups, -1, height * width)
    rows = weight.reshape(conv.groups, len(weight) // conv.groups, -1)
    return (rows @ columns).reshape(-1, height, width)


def max_pool(x: Array, pool: MaxPool) -> Array:
    """(C, H, H) to (C, H', H')."""
    padding = ((0, 0), (pool.padding, pool.padding), (pool.padding, pool.padding))
    x = np.pad(x, padding, constant_values=-np.inf)
    return _windows(x, pool.kernel, pool.stride).max(axis=(3, 4))


def _windows(x: Array, kernel: int, stride: int) -> Array:
    """(C, H, H) to (C, H', H', kernel, kernel)."""
    windows = sliding_window_view(x, (kernel, kernel), axis=(1, 2))
    return windows[:, ::stride, ::stride]


def _per_channel(values: Array) -> Array:
    return values[:, None, None]
