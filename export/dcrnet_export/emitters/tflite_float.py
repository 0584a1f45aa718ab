"""The graph as float TFLite, NHWC throughout: no transpose anywhere."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from dcrnet_export.emitters.tflite_options import (
    Operator,
    conv_options,
    depthwise_options,
    pool_options,
    same_padding,
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
from dcrnet_export.ir.reference import ZERO_CODE


def tflite_float(graph: Graph, storage: Storage = Storage.FP32, batch: int = 1) -> bytes:
    """The graph as a model with a uint8 input that computes in float32.

    Args:
        storage: fp16 kernels are dequantized once, when the model is loaded; int8 ones make the
            interpreter quantize each convolution's input as it comes ("dynamic range").
        batch: faces a run.
    """
    graph = rounded(graph, storage)
    emitter = FloatEmitter(TFLiteWriter(batch), graph.shapes())
    tensors: dict[str, TensorIndex] = {}
    for node in graph.nodes:
        if isinstance(node.op, Input):
            given = input_tensor(emitter.writer, node.name, node.op.side)
            tensors[node.name] = emitter.decoded(node.name, given)
        else:
            inputs = [tensors[name] for name in node.inputs]
            tensors[node.name] = emitter.emit(node, inputs, storage)
    return emitter.writer.content(given, tensors[graph.nodes[-1].name])


def input_tensor(writer: TFLiteWriter, name: str, side: int) -> TensorIndex:
    """The uint8 input; code 128 is its zero."""
    return writer.map(name, Shape(3, side), np.uint8, 1.0, ZERO_CODE)


def padding_tensor(writer: TFLiteWriter, padding: int) -> TensorIndex:
    """PAD's second input: as much on all four sides of the map."""
    sides = np.array([[0, 0], [padding] * 2, [padding] * 2, [0, 0]], np.int32)
    return writer.constant(f"padding_{padding}", sides)


class FloatEmitter:
    """Appends nodes that compute in float32."""

    def __init__(self, writer: TFLiteWriter, shapes: dict[str, Shape]) -> None:
        self.writer = writer
        self._shapes = shapes

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
        if not same_padding(conv):
            value = self._padded(node, value, conv.padding)
        weight = kernel_tensor(self.writer, f"{node.name}.weight", conv.weight, storage)
        bias = self.writer.constant(f"{node.name}.bias", conv.bias.astype(np.float32))
        version = 5 if storage is Storage.INT8 else 1
        inputs, options = [value, weight, bias], conv_options(conv)
        return self._add(Operator.CONV_2D, node, inputs, options, version)

    def _affine(self, node: Node, affine: Affine, value: TensorIndex) -> TensorIndex:
        """A depthwise 1x1 convolution."""
        scale, shift = affine.scale.astype(np.float32), affine.shift.astype(np.float32)
        weight = self.writer.constant(f"{node.name}.scale", scale[None, None, None])
        bias = self.writer.constant(f"{node.name}.shift", shift)
        inputs = [value, weight, bias]
        return self._add(
            Operator.DEPTHWISE_CONV_2D, node, inputs, depthwise_options(relu=affine.relu)
        )

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
        """Padding is written as zeros: what is pooled with padding has passed a ReLU."""
        if pool.padding:
            value = self._padded(node, value, pool.padding)
        options = pool_options(pool.kernel, pool.stride)
        return self._add(Operator.MAX_POOL_2D, node, [value], options)

    def _padded(self, node: Node, value: TensorIndex, padding: int) -> TensorIndex:
        given = self._shapes[node.inputs[0]]
        result = self._tensor(
            f"{node.name}.padded", Shape(given.channels, given.side + 2 * padding)
        )
        inputs = [value, padding_tensor(self.writer, padding)]
        return self.writer.add(Operator.PAD, 1, inputs, result, schema.PadOptionsT())

    def _reduce(self, node: Node, reduce: Reduce, value: TensorIndex) -> TensorIndex:
        axes = np.array([1, 2] if reduce.axis is Axis.SPACE else [3], np.int32)
        options = schema.ReducerOptionsT()
        options.keepDims = True
        code = Operator.MEAN if reduce.reduction is Reduction.MEAN else Operator.REDUCE_MAX
        inputs = [value, self.writer.constant(f"axes_{reduce.axis}", axes)]
        return self._add(code, node, inputs, options)

    def _softmax(self, node: Node, value: TensorIndex) -> TensorIndex:
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
