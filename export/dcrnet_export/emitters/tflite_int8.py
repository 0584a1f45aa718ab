"""The quantized graph as TFLite with int8 activations and weights, NHWC throughout.

The uint8 codes of the quantized graph appear minus 128, as int8. A clamp becomes an ADD with
ReLU, ``y = max(x - t, 0)``, because XNNPACK takes an int8 ADD with a constant but no int8
MAXIMUM, and each operator that it does not take cuts the graph in two; the reader's bias gets
``sum(w t)`` back, in integers, so nothing is lost.
"""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from dcrnet_export.emitters.tflite_float import FloatEmitter, input_tensor, padding_tensor
from dcrnet_export.emitters.tflite_options import (
    RELU,
    Operator,
    conv_options,
    depthwise_options,
    pool_options,
    same_padding,
)
from dcrnet_export.emitters.tflite_storage import Storage
from dcrnet_export.emitters.tflite_writer import TensorIndex, TFLiteWriter
from dcrnet_export.ir.graph import (
    Affine,
    AvgPool,
    Clamp,
    Concat,
    Conv,
    Input,
    MaxPool,
    Node,
    Shape,
)
from dcrnet_export.passes.quantization import CODES, INT8_OFFSET, Coding, QuantizedGraph


def tflite_int8(quantized: QuantizedGraph, batch: int = 1) -> bytes:
    """The graph as an int8 model; parts without a coding compute in float32.

    Args:
        quantized: with :attr:`dcrnet_export.passes.quantization.WeightLimit.FULL` weights.
        batch: faces a run.
    """
    emitter = _Emitter(quantized, batch)
    for node in quantized.graph.nodes:
        emitter.emit(node)
    return emitter.content()


class _Emitter:
    """Holds each value as codes, as floats, or as both once someone asks for the other."""

    def __init__(self, quantized: QuantizedGraph, batch: int) -> None:
        self._writer = TFLiteWriter(batch)
        self._quantized = quantized
        self._shapes = quantized.graph.shapes()
        self._float = FloatEmitter(self._writer, self._shapes)
        self._codes: dict[str, TensorIndex] = {}
        self._floats: dict[str, TensorIndex] = {}
        self._removed: dict[str, NDArray[np.int64]] = {}
        self._input = TensorIndex(0)

    def emit(self, node: Node) -> None:
        if self._quantized.on_codes(node):
            self._codes[node.name] = self._integer(node)
            return
        inputs = [self._as_float(name) for name in node.inputs]
        self._floats[node.name] = self._float.emit(node, inputs, Storage.FP16)

    def content(self) -> bytes:
        """The file's bytes."""
        return self._writer.content(
            self._input, self._floats[self._quantized.graph.nodes[-1].name]
        )

    def _integer(self, node: Node) -> TensorIndex:
        if isinstance(node.op, Input):
            return self._encode_input(node, node.op.side)
        inputs = [self._as_codes(name) for name in node.inputs]
        match node.op:
            case Conv():
                return self._conv(node, node.op, inputs[0])
            case Affine():
                return self._affine(node, node.op, inputs[0])
            case Clamp():
                return self._clamp(node, node.op, inputs[0])
            case Concat():
                options = schema.ConcatenationOptionsT()
                options.axis = 3
                return self._add(Operator.CONCATENATION, 2, node, inputs, options)
            case MaxPool():
                return self._max_pool(node, node.op, inputs[0])
            case AvgPool():
                return self._average(node, inputs[0])
            case _:
                raise TypeError(f"{type(node.op).__name__} does not compute on codes")

    def _encode_input(self, node: Node, side: int) -> TensorIndex:
        self._input = input_tensor(self._writer, node.name, side)
        result = self._tensor(f"{node.name}.codes", node.name)
        options = schema.QuantizeOptionsT()
        return self._writer.add(Operator.QUANTIZE, 1, [self._input], result, options)

    def _conv(self, node: Node, conv: Conv, value: TensorIndex) -> TensorIndex:
        if not same_padding(conv):
            value = self._padded(node, value, conv.padding)
        weights = self._quantized.weights[node.name]
        kernel = np.ascontiguousarray(weights.codes.transpose(0, 2, 3, 1))
        bias = weights.bias.astype(np.int64)
        if node.inputs[0] in self._removed:
            sums = weights.codes.astype(np.int64).sum(axis=(2, 3))
            bias += sums @ self._removed[node.inputs[0]]
        scale = self._bias_scale(node)
        inputs = [
            value,
            self._writer.constant(f"{node.name}.weight", kernel, weights.scale),
            self._writer.constant(f"{node.name}.bias", bias.astype(np.int32), scale),
        ]
        return self._add(Operator.CONV_2D, 3, node, inputs, conv_options(conv))

    def _affine(self, node: Node, affine: Affine, value: TensorIndex) -> TensorIndex:
        weights = self._quantized.weights[node.name]
        kernel = weights.codes.reshape(1, 1, 1, -1)
        inputs = [
            value,
            self._writer.constant(f"{node.name}.scale", kernel, weights.scale, axis=3),
            self._writer.constant(f"{node.name}.shift", weights.bias, self._bias_scale(node)),
        ]
        options = depthwise_options(relu=affine.relu)
        return self._add(Operator.DEPTHWISE_CONV_2D, 3, node, inputs, options)

    def _bias_scale(self, node: Node) -> NDArray[np.float32]:
        given = np.float32(self._quantized.codings[node.inputs[0]].scale)
        return given * self._quantized.weights[node.name].scale

    def _clamp(self, node: Node, clamp: Clamp, value: TensorIndex) -> TensorIndex:
        """``max(x, t) - t = relu(x - t)``, and where some gamma is negative, of ``min(x, h)``.

        ``min(x, h) - t = (h - t) - relu(h - x)``. A channel has one limit at most, so all the
        constants are codes 0..255.
        """
        coding = self._quantized.codings[node.name]
        low, high = coding.encode(clamp.low), coding.encode(clamp.high)
        if low.any():
            self._removed[node.name] = low.astype(np.int64)
        if (high != CODES).any():
            value = self._subtract(f"{node.name}.above", node, high, value)
            return self._subtract(node.name, node, high - low, value)
        if not low.any():
            return value
        # -t as int8 with zero point 127: t is 0..255.
        negative = (127 - low.astype(np.int16)).astype(np.int8)
        bound_coding = Coding(coding.scale, 127 + INT8_OFFSET)
        inputs = [value, self._limit(f"{node.name}.shift", negative, bound_coding)]
        options = schema.AddOptionsT()
        options.fusedActivationFunction = RELU
        return self._add(Operator.ADD, 2, node, inputs, options)

    def _subtract(
        self, name: str, node: Node, limit: NDArray[np.uint8], value: TensorIndex
    ) -> TensorIndex:
        """``relu(limit - x)``."""
        bound = (limit.astype(np.int16) - INT8_OFFSET).astype(np.int8)
        coding = self._quantized.codings[node.name]
        inputs = [self._limit(f"{name}.limit", bound, coding), value]
        options = schema.SubOptionsT()
        options.fusedActivationFunction = RELU
        result = self._tensor(name, node.name)
        return self._writer.add(Operator.SUB, 2, inputs, result, options)

    def _limit(self, name: str, codes: NDArray[np.int8], coding: Coding) -> TensorIndex:
        zero_point = coding.zero_point - INT8_OFFSET
        return self._writer.constant(name, codes[None, None, None], coding.scale, zero_point)

    def _average(self, node: Node, value: TensorIndex) -> TensorIndex:
        """A depthwise 2x2 convolution with weights 1/4: XNNPACK takes no int8 AVERAGE_POOL_2D.

        What a clamp subtracted is still missing behind it.
        """
        if node.inputs[0] in self._removed:
            self._removed[node.name] = self._removed[node.inputs[0]]
        channels = self._shapes[node.name].channels
        quarter = np.full(channels, 0.25, np.float32)
        bias_scale = quarter * np.float32(self._quantized.codings[node.name].scale)
        inputs = [
            value,
            self._writer.constant(
                f"{node.name}.weight", np.ones((1, 2, 2, channels), np.int8), quarter, axis=3
            ),
            self._writer.constant(f"{node.name}.bias", np.zeros(channels, np.int32), bias_scale),
        ]
        return self._add(Operator.DEPTHWISE_CONV_2D, 3, node, inputs, depthwise_options(stride=2))

    def _max_pool(self, node: Node, pool: MaxPool, value: TensorIndex) -> TensorIndex:
        """PAD writes zero points: the lowest code, as what is pooled has passed a ReLU."""
        if pool.padding:
            value = self._padded(node, value, pool.padding)
        options = pool_options(pool.kernel, pool.stride)
        return self._add(Operator.MAX_POOL_2D, 2, node, [value], options)

    def _padded(self, node: Node, value: TensorIndex, padding: int) -> TensorIndex:
        given = self._shapes[node.inputs[0]]
        shape = Shape(given.channels, given.side + 2 * padding)
        result = self._coded(f"{node.name}.padded", shape, self._quantized.codings[node.inputs[0]])
        inputs = [value, padding_tensor(self._writer, padding)]
        return self._writer.add(Operator.PAD, 2, inputs, result, schema.PadOptionsT())

    def _add(
        self, code: int, version: int, node: Node, inputs: list[TensorIndex], options: object
    ) -> TensorIndex:
        result = self._tensor(node.name, node.name)
        return self._writer.add(code, version, inputs, result, options)

    def _tensor(self, name: str, value: str) -> TensorIndex:
        return self._coded(name, self._shapes[value], self._quantized.codings[value])

    def _coded(self, name: str, shape: Shape, coding: Coding) -> TensorIndex:
        zero_point = coding.zero_point - INT8_OFFSET
        return self._writer.map(name, shape, np.int8, coding.scale, zero_point)

    def _as_codes(self, name: str) -> TensorIndex:
        if name not in self._codes:
            result = self._tensor(f"{name}.codes", name)
            inputs, options = [self._floats[name]], schema.QuantizeOptionsT()
            self._codes[name] = self._writer.add(Operator.QUANTIZE, 1, inputs, result, options)
        return self._codes[name]

    def _as_float(self, name: str) -> TensorIndex:
        if name not in self._floats:
            self._floats[name] = self._float.decoded(name, self._codes[name], version=2)
        return self._floats[name]
