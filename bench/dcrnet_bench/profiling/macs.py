"""Multiply-accumulates of one inference by kind of layer, counted from the model's own graph.

A MAC is one product added to a sum: two floating-point operations, so FLOPs = 2 x MACs. Only
convolutions and matrix products are counted; the element-wise rest is below a percent in such
networks, and no two tools count it alike.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dcrnet_bench.profiling.graph import Node, NotCountedError, Tensor, known

# Where the weights stand among a node's inputs; a convolution's are (out, in / groups, height,
# width).
_ONNX_CONVOLUTIONS = {"Conv": 1, "ConvInteger": 1, "FusedConv": 1, "QLinearConv": 3}
_ONNX_PRODUCTS = {"MatMul": 1, "MatMulInteger": 1, "Gemm": 1, "QLinearMatMul": 3, "QGemm": 3}
_ONNX_TRANSPOSABLE = {"Gemm", "QGemm"}
_UNCOUNTED = {
    *("If", "Loop", "Scan", "ConvTranspose", "Einsum", "Attention", "GRU", "LSTM", "RNN"),
    *("TRANSPOSE_CONV", "CONV_3D", "IF", "WHILE", "CALL_ONCE"),
}
_MICROSOFT = "com.microsoft."


class LayerKind(StrEnum):
    """What multiplies."""

    CONVOLUTION = "convolution"
    POINTWISE = "1x1 convolution"
    DEPTHWISE = "depthwise convolution"
    PRODUCT = "matrix product"


@dataclass(frozen=True, slots=True)
class MacCount:
    """What the layers of one kind and precision multiply for one crop.

    Attributes:
        kind: of the layers.
        is_int8: whether their weights have 8 bits.
        layers: how many there are.
        macs: of all of them.
    """

    kind: LayerKind
    is_int8: bool
    layers: int
    macs: int


def count_macs(nodes: Iterable[Node]) -> list[MacCount]:
    """MACs of one inference of one crop, the kinds with the most first.

    Raises:
        NotCountedError: the reason.
    """
    layers: dict[tuple[LayerKind, bool], list[int]] = defaultdict(list)
    for node in nodes:
        counted = _node_macs(node)
        if counted is not None:
            kind, weights, macs = counted
            layers[kind, weights.item_bytes == 1].append(macs)
    found = [MacCount(*key, len(macs), sum(macs)) for key, macs in layers.items()]
    return sorted(found, key=lambda count: -count.macs)


def _node_macs(node: Node) -> tuple[LayerKind, Tensor, int] | None:
    name = node.operator.removeprefix(_MICROSOFT)
    if name in _ONNX_CONVOLUTIONS:
        # Every output is a sum over one kernel.
        weights = _input(node, _ONNX_CONVOLUTIONS[name])
        _, depth, *window = weights.shape
        kind = _convolution(window, is_depthwise=depth == 1 and node.groups > 1)
        return kind, weights, _values(node) * depth * math.prod(window)
    if name in _ONNX_PRODUCTS:
        left, right = _input(node, 0), _input(node, _ONNX_PRODUCTS[name])
        is_turned = name in _ONNX_TRANSPOSABLE and node.is_transposed
        summed = left.shape[0] if is_turned else left.shape[-1]
        return LayerKind.PRODUCT, right, _values(node) * summed
    if name in _UNCOUNTED or _is_foreign(node):
        raise NotCountedError(f"the graph holds {node.operator}")
    return _tflite_macs(node)


def _tflite_macs(node: Node) -> tuple[LayerKind, Tensor, int] | None:
    match node.operator:
        case "CONV_2D":
            weights = _input(node, 1)
            _, *window, depth = weights.shape
            kind = _convolution(window, is_depthwise=False)
            return kind, weights, _values(node) * depth * math.prod(window)
        case "DEPTHWISE_CONV_2D":
            weights = _input(node, 1)
            return LayerKind.DEPTHWISE, weights, _values(node) * math.prod(weights.shape[1:3])
        case "FULLY_CONNECTED":
            weights = _input(node, 1)
            return LayerKind.PRODUCT, weights, _values(node) * math.prod(weights.shape[1:])
        case "BATCH_MATMUL":
            # Whichever side is transposed, left holds rows x summed elements.
            left, right = _input(node, 0), _input(node, 1)
            rows = _values(node) // _output(node).shape[-1]
            return LayerKind.PRODUCT, right, math.prod(left.shape) // rows * _values(node)
        case _:
            return None


def _is_foreign(node: Node) -> bool:
    """An operator of no standard; ONNX Runtime's QLinear ones hold no products but those above."""
    domain, _, name = node.operator.rpartition(".")
    return bool(domain) and not name.startswith("QLinear")


def _convolution(window: Iterable[int], *, is_depthwise: bool) -> LayerKind:
    if is_depthwise:
        return LayerKind.DEPTHWISE
    return LayerKind.POINTWISE if math.prod(window) == 1 else LayerKind.CONVOLUTION


def _values(node: Node) -> int:
    return math.prod(_output(node).shape)


def _input(node: Node, index: int) -> Tensor:
    return known(node, node.inputs[index])


def _output(node: Node) -> Tensor:
    return known(node, node.outputs[0])
