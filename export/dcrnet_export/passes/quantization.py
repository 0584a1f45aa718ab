"""The integer form of the graph: codes for values, integer weights for convolutions.

Every quantized value is a uint8 code, ``x = scale * (code - zero_point)``, one scale for the
whole value; the TFLite emitter writes the same codes minus 128 as int8. Weights are symmetric
int8 with a scale for each output channel, biases int32 of scale ``s_in * s_weight``.

A value is quantized where calibration gave it a range. What has none (an attention's pooled
vectors and gates, the dense head) stays float: a few thousand numbers a face. What computes on
codes is for :mod:`dcrnet_export.passes.arithmetic` to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from dcrnet_export.ir.graph import (
    Affine,
    Array,
    AvgPool,
    Clamp,
    Concat,
    Conv,
    Graph,
    MaxPool,
    Node,
)
from dcrnet_export.passes.arithmetic import integer_values

CODES = 255
"""The highest code; the lowest is 0."""

INT8_OFFSET = 128
"""A uint8 code minus this is the int8 code: the zero point of symmetric codings."""

_LARGEST_BIAS = 2.0**30


class WeightLimit(IntEnum):
    """The largest absolute weight code.

    x86 processors without VNNI multiply uint8 activations by int8 weights in pairs and add each
    pair in 16 bits with saturation (``vpmaddubsw``): 255 * 127 * 2 = 64770 does not fit into
    32767, and onnxruntime's AVX2 kernels then give wrong sums without a word. 255 * 64 * 2 =
    32640 fits. LiteRT's kernels widen first and take the full range.
    """

    REDUCED = 64
    FULL = 127


@dataclass(frozen=True, slots=True)
class Coding:
    """``x = scale * (code - zero_point)`` with codes 0..255."""

    scale: float
    zero_point: int

    def encode(self, x: Array) -> NDArray[np.uint8]:
        """The nearest codes, ties to even, saturated."""
        codes = np.rint(x.astype(np.float32) / np.float32(self.scale)) + self.zero_point
        return np.clip(codes, 0, CODES).astype(np.uint8)

    def decode(self, codes: NDArray[np.uint8]) -> Array:
        """What the codes stand for, float64."""
        return self.scale * (codes.astype(np.float64) - self.zero_point)


@dataclass(frozen=True, slots=True, eq=False)
class IntegerWeights:
    """A convolution's rounded weights.

    Attributes:
        codes: (out, in / groups, k, k) int8.
        scale: (out,) float32.
        bias: (out,) int32, of scale ``s_in * scale``.
    """

    codes: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedGraph:
    """A graph whose values named in ``codings`` are codes.

    Attributes:
        graph: the operations, its clamps' limits whole codes.
        codings: of the values that exist as codes.
        weights: of the :class:`Conv` and :class:`Affine` nodes that compute on codes.
        integer: the values that operations on codes give.
    """

    graph: Graph
    codings: dict[str, Coding]
    weights: dict[str, IntegerWeights]
    integer: frozenset[str]

    def on_codes(self, node: Node) -> bool:
        """Whether the node computes on codes; else it reads and gives floats."""
        return node.name in self.integer

    def activation_codes(self, node: Node) -> tuple[int, int]:
        """The lowest and the highest code that a convolution's ReLU or ReLU6 leaves."""
        coding = self.codings[node.name]
        if not isinstance(node.op, Conv | Affine) or not node.op.relu:
            return 0, CODES
        ceiling = node.op.ceiling if isinstance(node.op, Conv) else np.inf
        return coding.zero_point, int(coding.encode(np.array(ceiling)))


def quantize(graph: Graph, limit: WeightLimit, *, symmetric: bool = False) -> QuantizedGraph:
    """Choose codings and round the weights.

    Args:
        graph: from :func:`dcrnet_export.passes.channel_equalization.equalize_channels`, with the
            same ``symmetric``.
        limit: the largest absolute weight code.
        symmetric: give every value the zero point 128. What has passed a ReLU then has 128
            codes, not 256.
    """
    codings = _codings(graph, symmetric_coding_of if symmetric else coding_of)
    integer = integer_values(graph)
    weights: dict[str, IntegerWeights] = {}
    for node in graph.nodes:
        if node.name not in integer or not node.inputs:
            continue
        given = codings[node.inputs[0]]
        match node.op:
            case Conv():
                weights[node.name] = round_weights(node.op.weight, node.op.bias, given, limit)
            case Affine():
                kernel = node.op.scale[:, None, None, None]
                weights[node.name] = round_weights(kernel, node.op.shift, given, limit)
    return QuantizedGraph(graph, codings, weights, frozenset(integer))


def _codings(graph: Graph, choose: Callable[[Array], Coding]) -> dict[str, Coding]:
    """A coding for each value that has a range.

    Clamps, pools and concatenations move codes and requantize nothing: what they read and give
    has one coding, which spans the ranges of all that is computed anew among it.
    """
    groups: dict[str, list[str]] = {}
    for node in graph.nodes:
        if node.name not in graph.ranges:
            continue
        group = [node.name]
        if isinstance(node.op, Clamp | Concat | MaxPool | AvgPool):
            joined = [groups[name] for name in node.inputs if name in groups]
            group += dict.fromkeys(name for each in joined for name in each)
        groups.update(dict.fromkeys(group, group))
    codings: dict[str, Coding] = {}
    nodes = graph.by_name()
    for name, group in groups.items():
        if name not in codings:
            made = [
                graph.ranges[each]
                for each in group
                if not isinstance(nodes[each].op, Clamp | Concat | MaxPool | AvgPool)
            ]
            codings.update(dict.fromkeys(group, choose(np.concatenate(made, axis=1))))
    return codings


def coding_of(limits: Array) -> Coding:
    """The coding that spans a (2, C) range and 0, which always has its own code."""
    low, high = min(limits[0].min(), 0.0), max(limits[1].max(), 0.0)
    if high - low < 1e-9:
        high = low + 1.0
    scale = (high - low) / CODES
    return Coding(float(np.float32(scale)), round(-low / scale))


def symmetric_coding_of(limits: Array) -> Coding:
    """The coding with zero point 128 that spans a (2, C) range."""
    scale = max(limits[1].max() / (CODES - INT8_OFFSET), -limits[0].min() / INT8_OFFSET)
    return Coding(float(np.float32(scale if scale > 1e-9 else 1.0)), INT8_OFFSET)


def round_weights(weight: Array, bias: Array, given: Coding, limit: WeightLimit) -> IntegerWeights:
    """Symmetric weights, a scale for each output channel.

    Args:
        weight: (out, in / groups, k, k).
        bias: (out,).
        given: the input's coding.
        limit: the largest absolute code.
    """
    largest = np.abs(weight).max(axis=(1, 2, 3)) / limit
    room = np.abs(bias) / given.scale / _LARGEST_BIAS
    scale = np.maximum(np.maximum(largest, room), 1e-12).astype(np.float32)
    codes = round_rows(weight, scale, limit)
    integer_bias = np.rint(bias / (given.scale * scale.astype(np.float64)))
    return IntegerWeights(codes, scale, integer_bias.astype(np.int32))


def round_rows(weight: Array, scale: NDArray[np.float32], limit: WeightLimit) -> NDArray[np.int8]:
    """(out, in / groups, k, k) weights in multiples of the rows' (out,) scales."""
    multiples = weight / scale.astype(np.float64)[:, None, None, None]
    return np.clip(np.rint(multiples), -limit, limit).astype(np.int8)
