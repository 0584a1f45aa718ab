"""The quantized graph as TFLite with int8 activations and weights, NHWC throughout.

The uint8 codes of the quantized graph appear minus 128, as int8. A clamp that only unpadded
convolutions read becomes an ADD with ReLU, ``y = max(x - t, 0)``, because XNNPACK takes an int8
ADD with a constant but no int8 MAXIMUM, and each operator that it does not take cuts the graph in
two; the reader's bias gets ``sum(w t)`` back, in integers, so nothing is lost.
"""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from dcrnet_export.emitters.tflite_float import TFLiteFloatEmitter, input_tensor, padding_tensor
from dcrnet_export.emitters.tflite_options import (
    RELU,
    VALID,
    Operator,
    conv_options,
    conv_padding,
    depthwise_options,
    pool_options,
    pool_padding,
)
from dcrnet_export.emitters.tflite_storage import Storage, kernel_rows
from dcrnet_export.emitters.tflite_writer import TensorIndex, TFLiteWriter
from dcrnet_export.ir.folding import kernel_inputs
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
    Padding,
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
        self._readers = quantized.graph.readers()
        self._float = TFLiteFloatEmitter(self._writer, quantized.graph)
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
        outputs = [self._floats[name] for name in self._quantized.graph.outputs]
        return self._writer.content(self._input, outputs)

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
                return self._average(node, node.op, inputs[0])
            case Add():
                return self._add(Operator.ADD, 2, node, inputs, schema.AddOptionsT())
            case _:
                raise TypeError(f"{type(node.op).__name__} does not compute on codes")

    def _encode_input(self, node: Node, side: int) -> TensorIndex:
        self._input = input_tensor(self._writer, node.name, side)
        result = self._tensor(f"{node.name}.codes", node.name)
        options = schema.QuantizeOptionsT()
        return self._writer.add(Operator.QUANTIZE, 1, [self._input], result, options)

    def _conv(self, node: Node, conv: Conv, value: TensorIndex) -> TensorIndex:
        padding = conv_padding(conv, self._shapes[node.inputs[0]].side)
        if padding is None:
            value, padding = self._padded(node, value, conv.padding), VALID
        weights = self._quantized.weights[node.name]
        is_depthwise = conv.is_depthwise
        kernel = np.ascontiguousarray(kernel_rows(weights.codes, depthwise=is_depthwise))
        bias = weights.bias.astype(np.int64)
        if node.inputs[0] in self._removed:
            sums = weights.codes.astype(np.int64).sum(axis=(2, 3))
            bias += (sums * kernel_inputs(conv, self._removed[node.inputs[0]])).sum(axis=1)
        axis = 3 if is_depthwise else 0
        scale = self._bias_scale(node)
        inputs = [
            value,
            self._writer.constant(f"{node.name}.weight", kernel, weights.scale, axis=axis),
            self._writer.constant(f"{node.name}.bias", bias.astype(np.int32), scale),
        ]
        code = Operator.DEPTHWISE_CONV_2D if is_depthwise else Operator.CONV_2D
        return self._add(code, 3, node, inputs, conv_options(conv, padding))

    def _affine(self, node: Node, affine: Affine, value: TensorIndex) -> TensorIndex:
        weights = self._quantized.weights[node.name]
        kernel = weights.codes.reshape(1, 1, 1, -1)
        inputs = [
            value,
            self._writer.constant(f"{node.name}.scale", kernel, weights.scale, axis=3),
            self._writer.constant(f"{node.name}.shift", weights.bias, self._bias_scale(node)),
        ]
        options = depthwise_options(**({"activation": RELU} if affine.relu else {}))
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
        if not self._can_shift(node, low, high):
            return self._compare(node, low, high, value)
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

    def _can_shift(self, node: Node, low: NDArray[np.uint8], high: NDArray[np.uint8]) -> bool:
        """Whether a clamp's value may stand less its lower limit, and its zero point is 0."""
        if self._quantized.codings[node.name].zero_point or ((low > 0) & (high < CODES)).any():
            return False
        return all(self._restores(reader) for reader in self._readers[node.name])

    def _restores(self, reader: Node) -> bool:
        """Whether a reader's bias, or that of its own readers, makes up for what is missing."""
        if not self._quantized.on_codes(reader):
            return False
        match reader.op:
            case Conv():
                return not reader.op.is_padded
            case AvgPool():
                return all(self._restores(each) for each in self._readers[reader.name])
            case _:
                return False

    def _compare(
        self, node: Node, low: NDArray[np.uint8], high: NDArray[np.uint8], value: TensorIndex
    ) -> TensorIndex:
        """MAXIMUM and MINIMUM, as far as each has a limit that acts."""
        coding = self._quantized.codings[node.name]
        for code, kind, limit, idle in (
            (Operator.MAXIMUM, "max", low, 0),
            (Operator.MINIMUM, "min", high, CODES),
        ):
            if (limit == idle).all():
                continue
            bound = self._limit(f"{node.name}.{kind}", _as_int8(limit), coding)
            result = self._tensor(f"{node.name}.{kind}ed", node.name)
            options = schema.MaximumMinimumOptionsT()
            value = self._writer.add(code, 2, [value, bound], result, options)
        return value

    def _subtract(
        self, name: str, node: Node, limit: NDArray[np.uint8], value: TensorIndex
    ) -> TensorIndex:
        """``relu(limit - x)``."""
        bound = _as_int8(limit)
        coding = self._quantized.codings[node.name]
        inputs = [self._limit(f"{name}.limit", bound, coding), value]
        options = schema.SubOptionsT()
        options.fusedActivationFunction = RELU
        result = self._tensor(name, node.name)
        return self._writer.add(Operator.SUB, 2, inputs, result, options)

    def _limit(self, name: str, codes: NDArray[np.int8], coding: Coding) -> TensorIndex:
        zero_point = coding.zero_point - INT8_OFFSET
        return self._writer.constant(name, codes[None, None, None], coding.scale, zero_point)

    def _average(self, node: Node, pool: AvgPool, value: TensorIndex) -> TensorIndex:
        """A depthwise convolution with weights 1/k^2: XNNPACK takes no int8 AVERAGE_POOL_2D.

        What a clamp subtracted is still missing behind it.
        """
        if node.inputs[0] in self._removed:
            self._removed[node.name] = self._removed[node.inputs[0]]
        channels = self._shapes[node.name].channels
        ones = np.ones((1, pool.kernel, pool.kernel, channels), np.int8)
        share = np.full(channels, 1 / pool.kernel**2, np.float32)
        bias_scale = share * np.float32(self._quantized.codings[node.name].scale)
        inputs = [
            value,
            self._writer.constant(f"{node.name}.weight", ones, share, axis=3),
            self._writer.constant(f"{node.name}.bias", np.zeros(channels, np.int32), bias_scale),
        ]
        options = depthwise_options(pool.stride)
        return self._add(Operator.DEPTHWISE_CONV_2D, 3, node, inputs, options)

    def _max_pool(self, node: Node, pool: MaxPool, value: TensorIndex) -> TensorIndex:
        """The lowest code stands for padding: the zero point behind a ReLU."""
        padding = pool_padding(pool, self._shapes[node.inputs[0]].side)
        if padding is None:
            lowest = self._quantized.codings[node.inputs[0]].zero_point == 0
            sides = (pool.padding, pool.padding)
            value = self._padded(node, value, sides, filled=None if lowest else -INT8_OFFSET)
            padding = VALID
        options = pool_options(pool.kernel, pool.stride, padding)
        return self._add(Operator.MAX_POOL_2D, 2, node, [value], options)

    def _padded(
        self, node: Node, value: TensorIndex, padding: Padding, filled: int | None = None
    ) -> TensorIndex:
        """The map with zero points, or another int8 code, around it."""
        given, coding = self._shapes[node.inputs[0]], self._quantized.codings[node.inputs[0]]
        shape = Shape(given.channels, given.side + sum(padding))
        result = self._coded(f"{node.name}.padded", shape, coding)
        inputs = [value, padding_tensor(self._writer, padding)]
        if filled is None:
            return self._writer.add(Operator.PAD, 2, inputs, result, schema.PadOptionsT())
        zero_point = coding.zero_point - INT8_OFFSET
        code = np.array([filled], np.int8)
        inputs.append(self._writer.constant(f"{node.name}.fill", code, coding.scale, zero_point))
        return self._writer.add(Operator.PADV2, 2, inputs, result, schema.PadV2OptionsT())

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


def _as_int8(codes: NDArray[np.uint8]) -> NDArray[np.int8]:
    return (codes.astype(np.int16) - INT8_OFFSET).astype(np.int8)
