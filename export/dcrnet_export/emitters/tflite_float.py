"""The graph as float TFLite, NHWC throughout: no transpose anywhere."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

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
from dcrnet_export.emitters.tflite_storage import Storage, kernel_tensor, rounded
from dcrnet_export.emitters.tflite_writer import TensorIndex, TFLiteWriter
from dcrnet_export.ir.graph import (
    Add,
    Affine,
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
    Node,
    Padding,
    Reduce,
    Reduction,
    Shape,
    Sigmoid,
    Softmax,
)
from dcrnet_runtime.preprocess.spec import ZERO_CODE

_LOWEST = float(np.finfo(np.float32).min)


def tflite_float(graph: Graph, storage: Storage = Storage.FP32, batch: int = 1) -> bytes:
    """The graph as a model with a uint8 input that computes in float32.

    Args:
        storage: fp16 kernels are dequantized once, when the model is loaded; int8 ones make the
            interpreter quantize each convolution's input as it comes ("dynamic range").
        batch: faces a run.
    """
    graph = rounded(graph, storage)
    emitter = TFLiteFloatEmitter(TFLiteWriter(batch), graph)
    tensors: dict[str, TensorIndex] = {}
    for node in graph.nodes:
        if isinstance(node.op, Input):
            given = input_tensor(emitter.writer, node.name, node.op.side)
            tensors[node.name] = emitter.decoded(node.name, given)
        else:
            inputs = [tensors[name] for name in node.inputs]
            tensors[node.name] = emitter.emit(node, inputs, storage)
    return emitter.writer.content(given, [tensors[name] for name in graph.outputs])


def input_tensor(writer: TFLiteWriter, name: str, side: int) -> TensorIndex:
    """The uint8 input; code 128 is its zero."""
    return writer.map(name, Shape(3, side), np.uint8, 1.0, ZERO_CODE)


def padding_tensor(writer: TFLiteWriter, padding: Padding) -> TensorIndex:
    """PAD's second input: rows and columns before and behind the map."""
    sides = np.array([[0, 0], padding, padding, [0, 0]], np.int32)
    before, behind = padding
    return writer.constant(f"padding_{before}" + (f"_{behind}" if behind != before else ""), sides)


class TFLiteFloatEmitter:
    """Appends nodes that compute in float32."""

    def __init__(self, writer: TFLiteWriter, graph: Graph) -> None:
        self.writer = writer
        self._shapes = graph.shapes()
        self._non_negative = graph.non_negative()

    def emit(
        self, node: Node, inputs: list[TensorIndex], storage: Storage = Storage.FP32
    ) -> TensorIndex:
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
                options = pool_options(node.op.kernel, node.op.stride)
                return self._add(Operator.AVERAGE_POOL_2D, node, inputs, options)
            case Add():
                return self._add(Operator.ADD, node, inputs, schema.AddOptionsT())
            case Gate():
                return self._add(Operator.MUL, node, inputs, schema.MulOptionsT())
            case Reduce():
                return self._reduce(node, node.op, inputs[0])
            case Sigmoid():
                return self._add(Operator.LOGISTIC, node, inputs)
            case Features():
                return self._row(node, node.name, inputs[0])
            case Softmax():
                return self._softmax(node, inputs[0])
            case _:
                raise TypeError(f"{type(node.op).__name__} does not compute in float")

    def decoded(self, name: str, tensor: TensorIndex, version: int = 1) -> TensorIndex:
        """Codes as float32."""
        result = self._tensor(f"{name}.float", self._shapes[name])
        options = schema.DequantizeOptionsT()
        return self.writer.add(Operator.DEQUANTIZE, version, [tensor], result, options)

    def _tensor(self, name: str, shape: Shape) -> TensorIndex:
        return self.writer.map(name, shape, np.float32)

    def _add(
        self,
        code: int,
        node: Node,
        inputs: list[TensorIndex],
        options: object = None,
        version: int = 1,
    ) -> TensorIndex:
        result = self._tensor(node.name, self._shapes[node.name])
        return self.writer.add(code, version, inputs, result, options)

    def _conv(self, node: Node, conv: Conv, value: TensorIndex, storage: Storage) -> TensorIndex:
        padding = conv_padding(conv, self._shapes[node.inputs[0]].side)
        if padding is None:
            value, padding = self._padded(node, value, conv.padding), VALID
        weight = kernel_tensor(self.writer, f"{node.name}.weight", conv, storage)
        bias = self.writer.constant(f"{node.name}.bias", conv.bias.astype(np.float32))
        code, version = Operator.CONV_2D, 5 if storage is Storage.INT8 else 1
        if conv.is_depthwise:
            code, version = Operator.DEPTHWISE_CONV_2D, 6 if storage is Storage.INT8 else 1
        inputs, options = [value, weight, bias], conv_options(conv, padding)
        return self._add(code, node, inputs, options, version)

    def _affine(self, node: Node, affine: Affine, value: TensorIndex) -> TensorIndex:
        """A depthwise 1x1 convolution."""
        scale, shift = affine.scale.astype(np.float32), affine.shift.astype(np.float32)
        weight = self.writer.constant(f"{node.name}.scale", scale[None, None, None])
        bias = self.writer.constant(f"{node.name}.shift", shift)
        options = depthwise_options(**({"activation": RELU} if affine.relu else {}))
        return self._add(Operator.DEPTHWISE_CONV_2D, node, [value, weight, bias], options)

    def _clamp(self, node: Node, clamp: Clamp, value: TensorIndex) -> TensorIndex:
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

    def _max_pool(self, node: Node, pool: MaxPool, value: TensorIndex) -> TensorIndex:
        """Zeros stand for padding around what has passed a ReLU, else the lowest number."""
        padding = pool_padding(pool, self._shapes[node.inputs[0]].side)
        if padding is None:
            filled = None if node.inputs[0] in self._non_negative else _LOWEST
            value = self._padded(node, value, (pool.padding, pool.padding), filled)
            padding = VALID
        options = pool_options(pool.kernel, pool.stride, padding)
        return self._add(Operator.MAX_POOL_2D, node, [value], options)

    def _padded(
        self, node: Node, value: TensorIndex, padding: Padding, filled: float | None = None
    ) -> TensorIndex:
        """The map with zeros, or something else, around it."""
        given = self._shapes[node.inputs[0]]
        shape = Shape(given.channels, given.side + sum(padding))
        result = self._tensor(f"{node.name}.padded", shape)
        inputs = [value, padding_tensor(self.writer, padding)]
        if filled is None:
            return self.writer.add(Operator.PAD, 1, inputs, result, schema.PadOptionsT())
        inputs.append(self.writer.constant(f"filled_{filled}", np.array([filled], np.float32)))
        return self.writer.add(Operator.PADV2, 1, inputs, result, schema.PadV2OptionsT())

    def _reduce(self, node: Node, reduce: Reduce, value: TensorIndex) -> TensorIndex:
        axes = np.array([1, 2] if reduce.axis is Axis.SPACE else [3], np.int32)
        options = schema.ReducerOptionsT()
        options.keepDims = True
        code = Operator.MEAN if reduce.reduction is Reduction.MEAN else Operator.REDUCE_MAX
        inputs = [value, self.writer.constant(f"axes_{reduce.axis}", axes)]
        return self._add(code, node, inputs, options)

    def _softmax(self, node: Node, value: TensorIndex) -> TensorIndex:
        row = self._row(node, f"{node.name}.logits", value)
        shape = (self.writer.batch, self._shapes[node.name].channels)
        result = self.writer.tensor(node.name, shape, np.float32)
        softmax = schema.SoftmaxOptionsT()
        softmax.beta = 1.0
        return self.writer.add(Operator.SOFTMAX, 1, [row], result, softmax)

    def _row(self, node: Node, name: str, value: TensorIndex) -> TensorIndex:
        """A vector without the sides of its map."""
        shape = (self.writer.batch, self._shapes[node.name].channels)
        target = self.writer.constant("row", np.array(shape, np.int32))
        row = self.writer.tensor(name, shape, np.float32)
        options = schema.ReshapeOptionsT()
        options.newShape = list(shape)
        return self.writer.add(Operator.RESHAPE, 1, [value, target], row, options)
