"""The graph as float TFLite, NHWC throughout: no transpose anywhere."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from dcrnet_export.graph import (
    Add,
    Affine,
    Array,
    AvgPool,
    Axis,
    Clamp,
    Concat,
    Conv,
    Gate,
    Graph,
    Input,
    MaxPool,
    Node,
    Reduce,
    Reduction,
    Shape,
    Sigmoid,
    Softmax,
)
from dcrnet_export.half import round_half
from dcrnet_export.quantize import WeightLimit, round_rows
from dcrnet_export.reference import ZERO_CODE
from dcrnet_export.rounding import round_behind_clamps
from dcrnet_export.tflite_writer import Tensor, TFLiteWriter

Operator = schema.BuiltinOperator
RELU = schema.ActivationFunctionType.RELU
NO_ACTIVATION = schema.ActivationFunctionType.NONE
VALID, SAME = schema.Padding.VALID, schema.Padding.SAME


class Storage(StrEnum):
    """How the file holds convolution kernels."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


def tflite_float(graph: Graph, storage: Storage = Storage.FP32, batch: int = 1) -> bytes:
    """The graph as a model with a uint8 input that computes in float32.

    Args:
        storage: fp16 kernels are dequantized once, when the model is loaded; int8 ones make the
            interpreter quantize each convolution's input as it comes ("dynamic range").
        batch: faces a run.
    """
    match storage:
        case Storage.FP16:
            graph = round_behind_clamps(graph, round_half)
        case Storage.INT8:
            graph = round_behind_clamps(graph, _round_int8)
    emitter = FloatEmitter(TFLiteWriter(batch), graph.shapes())
    tensors: dict[str, Tensor] = {}
    for node in graph.nodes:
        if isinstance(node.op, Input):
            given = input_tensor(emitter.writer, node.name, node.op.side)
            tensors[node.name] = emitter.decoded(node.name, given)
        else:
            inputs = [tensors[name] for name in node.inputs]
            tensors[node.name] = emitter.emit(node, inputs, storage)
    return emitter.writer.content(given, tensors[graph.nodes[-1].name])


def input_tensor(writer: TFLiteWriter, name: str, side: int) -> Tensor:
    """The uint8 input; code 128 is its zero."""
    return writer.map(name, Shape(3, side), np.uint8, 1.0, ZERO_CODE)


class FloatEmitter:
    """Appends nodes that compute in float32."""

    def __init__(self, writer: TFLiteWriter, shapes: dict[str, Shape]) -> None:
        self.writer = writer
        self._shapes = shapes

    def emit(self, node: Node, inputs: list[Tensor], storage: Storage = Storage.FP32) -> Tensor:
        """Append one node; returns its float32 tensor.

        Args:
            inputs: float32 tensors.
            storage: of convolution kernels.
        """
        match node.op:
            case Conv():
                return self._conv(node, node.op, inputs[0], storage)
            case Affine():
                return self._affine(node, node.op, inputs[0])
            case Clamp():
                return self._clamp(node, node.op, inputs[0])
            case Concat():
                options = schema.ConcatenationOptionsT()
                options.axis = 3
                return self._add(Operator.CONCATENATION, node, inputs, options)
            case MaxPool():
                return self._max_pool(node, node.op, inputs[0])
            case AvgPool():
                options = pool_options(2, 2)
                return self._add(Operator.AVERAGE_POOL_2D, node, inputs, options)
            case Add():
                return self._add(Operator.ADD, node, inputs, schema.AddOptionsT())
            case Gate():
                return self._add(Operator.MUL, node, inputs, schema.MulOptionsT())
            case Reduce():
                return self._reduce(node, node.op, inputs[0])
            case Sigmoid():
                return self._add(Operator.LOGISTIC, node, inputs)
            case Softmax():
                return self._softmax(node, inputs[0])
            case _:
                raise TypeError(f"{type(node.op).__name__} does not compute in float")

    def decoded(self, name: str, tensor: Tensor, version: int = 1) -> Tensor:
        """Codes as float32."""
        result = self._tensor(f"{name}.float", self._shapes[name])
        options = schema.DequantizeOptionsT()
        return self.writer.add(Operator.DEQUANTIZE, version, [tensor], result, options)

    def _tensor(self, name: str, shape: Shape) -> Tensor:
        return self.writer.map(name, shape, np.float32)

    def _add(
        self,
        code: int,
        node: Node,
        inputs: list[Tensor],
        options: object = None,
        version: int = 1,
    ) -> Tensor:
        result = self._tensor(node.name, self._shapes[node.name])
        return self.writer.add(code, version, inputs, result, options)

    def _conv(self, node: Node, conv: Conv, value: Tensor, storage: Storage) -> Tensor:
        if not same_padding(conv):
            value = self._padded(node, value, conv.padding)
        weight = self._kernel(f"{node.name}.weight", conv.weight, storage)
        bias = self.writer.constant(f"{node.name}.bias", conv.bias.astype(np.float32))
        version = 5 if storage is Storage.INT8 else 1
        inputs, options = [value, weight, bias], conv_options(conv)
        return self._add(Operator.CONV_2D, node, inputs, options, version)

    def _kernel(self, name: str, weight: Array, storage: Storage) -> Tensor:
        match storage:
            case Storage.FP32:
                kernel = weight.transpose(0, 2, 3, 1).astype(np.float32)
                return self.writer.constant(name, kernel)
            case Storage.FP16:
                return self._half_kernel(name, weight.transpose(0, 2, 3, 1))
            case Storage.INT8:
                codes, scale = _int8_rows(weight)
                rows = np.ascontiguousarray(codes.transpose(0, 2, 3, 1))
                return self.writer.constant(name, rows, scale)

    def _half_kernel(self, name: str, kernel: Array) -> Tensor:
        stored = self.writer.constant(f"{name}.fp16", kernel.astype(np.float16))
        result = self.writer.tensor(name, kernel.shape, np.float32)
        options = schema.DequantizeOptionsT()
        return self.writer.add(Operator.DEQUANTIZE, 3, [stored], result, options)

    def _affine(self, node: Node, affine: Affine, value: Tensor) -> Tensor:
        """A depthwise 1x1 convolution."""
        scale, shift = affine.scale.astype(np.float32), affine.shift.astype(np.float32)
        weight = self.writer.constant(f"{node.name}.scale", scale[None, None, None])
        bias = self.writer.constant(f"{node.name}.shift", shift)
        inputs = [value, weight, bias]
        return self._add(
            Operator.DEPTHWISE_CONV_2D, node, inputs, depthwise_options(relu=affine.relu)
        )

    def _clamp(self, node: Node, clamp: Clamp, value: Tensor) -> Tensor:
        steps = (
            (Operator.MAXIMUM, "max", clamp.low, -np.inf),
            (Operator.MINIMUM, "min", clamp.high, np.inf),
        )
        shape = self._shapes[node.name]
        for code, kind, limit, idle in steps:
            if (limit == idle).all():
                continue
            bound = limit.astype(np.float32)[None, None, None]
            inputs = [value, self.writer.constant(f"{node.name}.{kind}", bound)]
            result = self._tensor(f"{node.name}.{kind}ed", shape)
            options = schema.MaximumMinimumOptionsT()
            value = self.writer.add(code, 1, inputs, result, options)
        return value

    def _max_pool(self, node: Node, pool: MaxPool, value: Tensor) -> Tensor:
        """Padding is written as zeros: what is pooled with padding has passed a ReLU."""
        if pool.padding:
            value = self._padded(node, value, pool.padding)
        options = pool_options(pool.kernel, pool.stride)
        return self._add(Operator.MAX_POOL_2D, node, [value], options)

    def _padded(self, node: Node, value: Tensor, padding: int) -> Tensor:
        given = self._shapes[node.inputs[0]]
        result = self._tensor(
            f"{node.name}.padded", Shape(given.channels, given.side + 2 * padding)
        )
        inputs = [value, padding_tensor(self.writer, padding)]
        return self.writer.add(Operator.PAD, 1, inputs, result, schema.PadOptionsT())

    def _reduce(self, node: Node, reduce: Reduce, value: Tensor) -> Tensor:
        axes = np.array([1, 2] if reduce.axis is Axis.SPACE else [3], np.int32)
        options = schema.ReducerOptionsT()
        options.keepDims = True
        code = Operator.MEAN if reduce.reduction is Reduction.MEAN else Operator.REDUCE_MAX
        inputs = [value, self.writer.constant(f"axes_{reduce.axis}", axes)]
        return self._add(code, node, inputs, options)

    def _softmax(self, node: Node, value: Tensor) -> Tensor:
        shape = (self.writer.batch, self._shapes[node.name].channels)
        target = self.writer.constant("row", np.array(shape, np.int32))
        row = self.writer.tensor(f"{node.name}.logits", shape, np.float32)
        options = schema.ReshapeOptionsT()
        options.newShape = list(shape)
        self.writer.add(Operator.RESHAPE, 1, [value, target], row, options)
        result = self.writer.tensor(node.name, shape, np.float32)
        softmax = schema.SoftmaxOptionsT()
        softmax.beta = 1.0
        return self.writer.add(Operator.SOFTMAX, 1, [row], result, softmax)


def _int8_rows(weight: Array) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Codes and their rows' scales."""
    largest = np.abs(weight).max(axis=(1, 2, 3)) / WeightLimit.FULL
    scale = np.maximum(largest, 1e-12).astype(np.float32)
    return round_rows(weight, scale, WeightLimit.FULL), scale


def _round_int8(weight: Array) -> Array:
    codes, scale = _int8_rows(weight)
    return codes * scale.astype(np.float64)[:, None, None, None]


def same_padding(conv: Conv) -> bool:
    """Whether TFLite's SAME or VALID pads as the convolution does.

    With a stride SAME pads less on the left than on the right, so a padded convolution with a
    stride gets its own PAD.
    """
    return conv.stride == 1 or conv.padding == 0


def conv_options(conv: Conv) -> schema.Conv2DOptionsT:
    """TFLite's attributes of a convolution; its input is padded where SAME would not do."""
    options = schema.Conv2DOptionsT()
    options.padding = SAME if conv.padding and conv.stride == 1 else VALID
    options.strideH = options.strideW = conv.stride
    options.fusedActivationFunction = RELU if conv.relu else NO_ACTIVATION
    return options


def depthwise_options(*, stride: int = 1, relu: bool = False) -> schema.DepthwiseConv2DOptionsT:
    """TFLite's attributes of an unpadded depthwise convolution."""
    options = schema.DepthwiseConv2DOptionsT()
    options.padding, options.depthMultiplier = VALID, 1
    options.strideH = options.strideW = stride
    options.fusedActivationFunction = RELU if relu else NO_ACTIVATION
    return options


def pool_options(kernel: int, stride: int) -> schema.Pool2DOptionsT:
    """TFLite's attributes of an unpadded pool."""
    options = schema.Pool2DOptionsT()
    options.padding = VALID
    options.filterHeight = options.filterWidth = kernel
    options.strideH = options.strideW = stride
    return options


def padding_tensor(writer: TFLiteWriter, padding: int) -> Tensor:
    """PAD's second input: as much on all four sides of the map."""
    sides = np.array([[0, 0], [padding] * 2, [padding] * 2, [0, 0]], np.int32)
    return writer.constant(f"padding_{padding}", sides)
