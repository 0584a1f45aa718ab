"""The quantized graph as integer ONNX: uint8 codes, int8 weights, NCHW inside.

The integer operations are written as such (QLinearConv, and Max, Min, Concat, MaxPool on uint8)
rather than as float ones between QuantizeLinear and DequantizeLinear, because ONNX Runtime fuses
those around a convolution but not around a clamp.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from dcrnet_export.emitters.onnx_attributes import (
    average_attributes,
    conv_attributes,
    max_pool_attributes,
    pointwise_attributes,
)
from dcrnet_export.emitters.onnx_codings import CodingWriter
from dcrnet_export.emitters.onnx_float import emit_float
from dcrnet_export.ir.graph import (
    Add,
    Affine,
    AvgPool,
    Clamp,
    Concat,
    Conv,
    Input,
    MaxPool,
    Node,
)
from dcrnet_export.passes.quantization import CODES, IntegerWeights, QuantizedGraph


def onnx_int8(quantized: QuantizedGraph, batch: int | None = 1) -> onnx.ModelProto:
    """The graph as an integer model; parts without a coding compute in float32.

    Args:
        quantized: with :attr:`~dcrnet_export.passes.quantization.WeightLimit.REDUCED` weights,
            which no x86 kernel can saturate, or with FULL ones where that is no danger.
        batch: faces a run; None for any number.
    """
    emitter = _Emitter(quantized)
    for node in quantized.graph.nodes:
        emitter.emit(node)
    model = emitter.writer.model(quantized.graph, batch)
    onnx.checker.check_model(model)
    return model


class _Emitter:
    """Holds each value as codes, as floats, or as both once someone asks for the other."""

    def __init__(self, quantized: QuantizedGraph) -> None:
        self.writer = CodingWriter(quantized.codings)
        self._quantized = quantized
        self._codes: dict[str, str] = {}
        self._floats: dict[str, str] = {}

    def emit(self, node: Node) -> None:
        if self._quantized.on_codes(node):
            self._codes[node.name] = self._integer(node)
            return
        inputs = [self._as_float(name) for name in node.inputs]
        self._floats[node.name] = emit_float(self.writer, node, inputs, node.name, compact=True)

    def _integer(self, node: Node) -> str:
        match node.op:
            case Input():
                name = f"{node.name}.planes"
                return self.writer.add("Transpose", [node.name], name, perm=[0, 3, 1, 2])
            case Add():
                return self._add(node)
        inputs = [self._as_codes(name) for name in node.inputs]
        match node.op:
            case Conv():
                weights, attributes = self._weights(node), conv_attributes(node.op)
                return self._convolve(node, inputs[0], weights, attributes)
            case Affine():
                weights = self._weights(node)
                attributes = pointwise_attributes(len(weights.codes))
                return self._convolve(node, inputs[0], weights, attributes)
            case AvgPool():
                return self._average(node, node.op, inputs[0])
            case Clamp():
                bounds = self.writer.limits(node.name, node.op)
                return self.writer.clamp(inputs[0], node.name, bounds) if bounds else inputs[0]
            case Concat():
                return self.writer.add("Concat", inputs, node.name, axis=1)
            case MaxPool():
                attributes = max_pool_attributes(node.op)
                return self.writer.add("MaxPool", inputs, node.name, **attributes)
            case _:
                raise TypeError(f"{type(node.op).__name__} does not compute on codes")

    def _weights(self, node: Node) -> IntegerWeights:
        return self._quantized.weights[node.name]

    def _convolve(
        self, node: Node, codes: str, weights: IntegerWeights, attributes: dict[str, Any]
    ) -> str:
        """QLinearConv; a ReLU, and a ReLU6, is mostly where the codes end.

        The weights' zero points are not shared: where ONNX Runtime avoids saturation by turning
        int8 weights into uint8, it replaces them, and fails on a second user.
        """
        name = node.name
        weight_zero = np.zeros((), np.int8)
        inputs = [
            *(codes, *self.writer.coding(node.inputs[0])),
            self.writer.constant(f"{name}.weight", weights.codes),
            self.writer.constant(f"{name}.weight_scale", weights.scale),
            self.writer.own_constant(f"{name}.weight_zero", weight_zero),
            *self.writer.coding(name),
            self.writer.constant(f"{name}.bias", weights.bias),
        ]
        low, high = self._quantized.activation_codes(node)
        limits = {"Max": (low, 0), "Min": (high, CODES)}
        bounds = {
            op: self.writer.constant(f"code_{limit}", np.array(limit, np.uint8))
            for op, (limit, idle) in limits.items()
            if limit != idle
        }
        if not bounds:
            return self.writer.add("QLinearConv", inputs, name, **attributes)
        free = self.writer.add("QLinearConv", inputs, f"{name}.free", **attributes)
        return self.writer.clamp(free, name, bounds)

    def _average(self, node: Node, pool: AvgPool, codes: str) -> str:
        """A depthwise convolution with weights 1/k^2: QLinearAveragePool is no standard operator,
        and ten times slower where it exists."""
        channels = self._quantized.graph.shapes()[node.name].channels
        ones = np.ones((channels, 1, pool.kernel, pool.kernel), np.int8)
        share = np.full(channels, 1 / pool.kernel**2, np.float32)
        weights = IntegerWeights(ones, share, np.zeros(channels, np.int32))
        attributes = {**average_attributes(pool), "group": channels}
        return self._convolve(node, codes, weights, attributes)

    def _add(self, node: Node) -> str:
        """A float sum between codes, which ONNX Runtime turns into one of codes: ONNX has none."""
        inputs = [self._as_float(name) for name in node.inputs]
        exact = self.writer.add("Add", inputs, f"{node.name}.exact")
        return self.writer.encode(exact, node.name, node.name)

    def _as_codes(self, name: str) -> str:
        if name not in self._codes:
            self._codes[name] = self.writer.encode(self._floats[name], name, f"{name}.codes")
        return self._codes[name]

    def _as_float(self, name: str) -> str:
        if name not in self._floats:
            self._floats[name] = self.writer.decode(self._codes[name], name, f"{name}.decoded")
        return self._floats[name]
