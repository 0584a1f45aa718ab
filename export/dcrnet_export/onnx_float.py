"""The graph as float ONNX, NCHW inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

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
    Sigmoid,
    Softmax,
)
from dcrnet_export.onnx_writer import OnnxWriter
from dcrnet_export.reference import ZERO_CODE


def onnx_float(graph: Graph) -> onnx.ModelProto:
    """The graph as a float32 model, simplified by onnxsim.

    Raises:
        RuntimeError: onnxsim's own check of its result failed.
    """
    import onnxsim

    writer = OnnxWriter()
    tensors: dict[str, str] = {}
    for node in graph.nodes:
        inputs = [tensors[name] for name in node.inputs]
        tensors[node.name] = emit_float(writer, node, inputs, node.name)
    shapes = graph.shapes()
    first, last = graph.nodes[0], graph.nodes[-1]
    model = writer.model(shapes[first.name].side, shapes[last.name].channels)
    simplified, agrees = onnxsim.simplify(model)
    if not agrees:
        raise RuntimeError("onnxsim changed the model's results")
    onnx.checker.check_model(simplified)
    return simplified


def emit_float(
    writer: OnnxWriter, node: Node, inputs: list[str], output: str, *, compact: bool = False
) -> str:
    """Append one node that computes in float32; returns its tensor's name.

    Args:
        inputs: names of float32 tensors.
        output: name for the result.
        compact: store convolution kernels as fp16.
    """
    match node.op:
        case Input():
            planes = writer.add("Transpose", [output], f"{output}.planes", perm=[0, 3, 1, 2])
            cast = writer.add("Cast", [planes], f"{output}.float", to=TensorProto.FLOAT)
            zero = writer.constant("zero_code", np.array(ZERO_CODE, np.float32))
            return writer.add("Sub", [cast, zero], f"{output}.centred")
        case Conv():
            return _conv(writer, node.op, inputs[0], output, compact)
        case Affine():
            return _affine(writer, node.op, inputs[0], output)
        case Clamp():
            return _clamp(writer, node.op, inputs[0], output)
        case Concat():
            return writer.add("Concat", inputs, output, axis=1)
        case MaxPool():
            return writer.add("MaxPool", inputs, output, **pool_attributes(node.op))
        case AvgPool():
            window = {"kernel_shape": [2, 2], "strides": [2, 2]}
            return writer.add("AveragePool", inputs, output, **window)
        case Add():
            return writer.add("Add", inputs, output)
        case Gate():
            return writer.add("Mul", inputs, output)
        case Reduce():
            axes = [2, 3] if node.op.axis is Axis.SPACE else [1]
            op = f"Reduce{node.op.reduction.capitalize()}"
            return writer.add(op, inputs, output, axes=axes, keepdims=1)
        case Sigmoid():
            return writer.add("Sigmoid", inputs, output)
        case Softmax():
            flat = writer.add("Flatten", inputs, f"{output}.flat")
            return writer.add("Softmax", [flat], output)


def pool_attributes(pool: MaxPool) -> dict[str, list[int]]:
    """ONNX's attributes of a max-pool."""
    return {
        "kernel_shape": [pool.kernel] * 2,
        "strides": [pool.stride] * 2,
        "pads": [pool.padding] * 4,
    }


def _conv(writer: OnnxWriter, conv: Conv, value: str, output: str, compact: bool) -> str:
    kernel = conv.weight.astype(np.float32)
    store = writer.compact if compact else writer.constant
    weight = store(f"{output}.weight", kernel)
    bias = writer.constant(f"{output}.bias", conv.bias.astype(np.float32))
    result = f"{output}.sum" if conv.relu else output
    writer.add("Conv", [value, weight, bias], result, **conv_attributes(conv))
    return writer.add("Relu", [result], output) if conv.relu else result


def conv_attributes(conv: Conv) -> dict[str, Any]:
    """ONNX's attributes of a convolution."""
    return {
        "kernel_shape": list(conv.weight.shape[2:]),
        "strides": [conv.stride] * 2,
        "pads": [conv.padding] * 4,
    }


def _affine(writer: OnnxWriter, affine: Affine, value: str, output: str) -> str:
    scale = writer.constant(f"{output}.scale", _per_channel(affine.scale))
    shift = writer.constant(f"{output}.shift", _per_channel(affine.shift))
    scaled = writer.add("Mul", [value, scale], f"{output}.scaled")
    result = f"{output}.sum" if affine.relu else output
    writer.add("Add", [scaled, shift], result)
    return writer.add("Relu", [result], output) if affine.relu else result


def _clamp(writer: OnnxWriter, clamp: Clamp, value: str, output: str) -> str:
    steps = [("Max", clamp.low, -np.inf), ("Min", clamp.high, np.inf)]
    steps = [(op, limit, idle) for op, limit, idle in steps if (limit != idle).any()]
    for i, (op, limit, _) in enumerate(steps, start=1):
        bound = writer.constant(f"{output}.{op.lower()}", _per_channel(limit))
        name = output if i == len(steps) else f"{output}.above"
        value = writer.add(op, [value, bound], name)
    return value


def _per_channel(values: Array) -> NDArray[np.float32]:
    return values.astype(np.float32)[None, :, None, None]
