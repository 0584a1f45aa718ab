"""The integer form of the graph: codes for values, integer weights for convolutions.

Every quantized value is a uint8 code, ``x = scale * (code - zero_point)``, one scale for the
whole value; the TFLite emitter writes the same codes minus 128 as int8. Weights are symmetric
int8 with a scale for each output channel, biases int32 of scale ``s_in * s_weight``.

A value is quantized where calibration gave it a range. What has none (the attention's pooled
vectors and gates, the dense head) stays float: a few thousand numbers a face. So do the sums of
the residual modules: in the 256 codes of a whole map a skip connection, which carries floats from
one gate to the next, would lose three times what all other rounding does.
"""

from __future__ import annotations

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
    Input,
    MaxPool,
    Node,
)

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
    """Attributes:
    codes: (out, in, k, k) int8.
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
    """

    graph: Graph
    codings: dict[str, Coding]
    weights: dict[str, IntegerWeights]

    def on_codes(self, node: Node) -> bool:
        """Whether the node computes on codes; else it reads and gives floats."""
        match node.op:
            case Input():
                return True
            case Conv() | Affine():
                return node.name in self.weights
            case Clamp() | Concat() | MaxPool() | AvgPool():
                return all(name in self.codings for name in (node.name, *node.inputs))
            case _:
                return False


def quantize(graph: Graph, limit: WeightLimit, *, symmetric: bool = False) -> QuantizedGraph:
    """Choose codings and round the weights.

    Args:
        graph: from :func:`dcrnet_export.passes.channel_equalization.equalize_channels`, with the
            same ``symmetric``.
        limit: the largest absolute weight code.
        symmetric: give every value the zero point 128. What has passed a ReLU then has 128
            codes, not 256.
    """
    choose = symmetric_coding_of if symmetric else coding_of
    codings: dict[str, Coding] = {}
    weights: dict[str, IntegerWeights] = {}
    for node in graph.nodes:
        if node.name not in graph.ranges:
            continue
        match node.op:
            case Clamp() | MaxPool() | AvgPool():
                codings[node.name] = codings[node.inputs[0]]
            case _:
                codings[node.name] = choose(graph.ranges[node.name])
        given = codings.get(node.inputs[0]) if node.inputs else None
        match node.op:
            case Conv() if given is not None:
                weights[node.name] = round_weights(node.op.weight, node.op.bias, given, limit)
            case Affine() if given is not None:
                kernel = node.op.scale[:, None, None, None]
                weights[node.name] = round_weights(kernel, node.op.shift, given, limit)
    return QuantizedGraph(graph, codings, weights)


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
        weight: (out, in, k, k).
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
    """(out, in, k, k) weights in multiples of the rows' (out,) scales."""
    multiples = weight / scale.astype(np.float64)[:, None, None, None]
    return np.clip(np.rint(multiples), -limit, limit).astype(np.int8)
