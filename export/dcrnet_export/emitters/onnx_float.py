"""The graph as float ONNX, NCHW inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from dcrnet_export.emitters.onnx_attributes import (
    average_attributes,
    conv_attributes,
    max_pool_attributes,
)
from dcrnet_export.emitters.onnx_writer import OnnxWriter
from dcrnet_export.ir.graph import (
    Add,
    Affine,
    Array,
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
    Reduce,
    Reduction,
    Sigmoid,
    Softmax,
)
from dcrnet_export.passes.bias_correction import correct_biases
from dcrnet_export.passes.fp16 import fit_to_fp16, is_sound_in_fp16, round_to_fp16
from dcrnet_runtime.preprocess.spec import ZERO_CODE

Float = type[np.float16] | type[np.float32]

_ELEMENT = {np.float16: TensorProto.FLOAT16, np.float32: TensorProto.FLOAT}


def onnx_float(graph: Graph, batch: int | None = 1) -> onnx.ModelProto:
    """The graph as a float32 model, simplified by onnxsim.

    Args:
        batch: faces a run; None for any number.

    Raises:
        RuntimeError: onnxsim's own check of its result failed.
    """
    writer = OnnxWriter()
    tensors: dict[str, str] = {}
    for node in graph.nodes:
        inputs = [tensors[name] for name in node.inputs]
        tensors[node.name] = emit_float(writer, node, inputs, node.name)
    return simplified(writer.model(graph, batch))


def onnx_fp16(graph: Graph, batch: int | None = 1) -> onnx.ModelProto:
    """The graph as a float16 model, simplified by onnxsim; float32 where float16 is not sound.

    ONNX Runtime has hardly any float16 kernel on x86 processors: there it computes in float32
    between casts. The format is for GPUs, NPUs and ARM's float16 instructions.

    Args:
        batch: faces a run; None for any number.

    Raises:
        RuntimeError: onnxsim's own check of its result failed.
    """
    graph = correct_biases(fit_to_fp16(graph), round_to_fp16)
    writer = OnnxWriter()
    tensors: dict[tuple[str, Float], str] = {}
    for node in graph.nodes:
        dtype = np.float16 if is_sound_in_fp16(node) else np.float32
        for name in node.inputs:
            if (name, dtype) not in tensors:
                other = np.float32 if dtype is np.float16 else np.float16
                cast, element = f"{name}.{np.dtype(dtype)}", _ELEMENT[dtype]
                tensors[name, dtype] = writer.add("Cast", [tensors[name, other]], cast, to=element)
        inputs = [tensors[name, dtype] for name in node.inputs]
        tensors[node.name, dtype] = emit_float(writer, node, inputs, node.name, dtype)
    return simplified(writer.model(graph, batch))


def simplified(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model after onnxsim.

    Raises:
        RuntimeError: onnxsim's own check of its result failed.
    """
    import onnxsim

    result, agrees = onnxsim.simplify(model)
    if not agrees:
        raise RuntimeError("onnxsim changed the model's results")
    onnx.checker.check_model(result)
    return result


def emit_float(
    writer: OnnxWriter,
    node: Node,
    inputs: list[str],
    output: str,
    dtype: Float = np.float32,
    *,
    compact: bool = False,
) -> str:
    """Append one node that computes in float; returns its tensor's name.

    Args:
        inputs: names of tensors of ``dtype``; the uint8 input for the first node.
        output: name for the result.
        dtype: of computation and result.
        compact: store convolution kernels as fp16.
    """
    match node.op:
        case Input():
            planes = writer.add("Transpose", [output], f"{output}.planes", perm=[0, 3, 1, 2])
            cast = writer.add("Cast", [planes], f"{output}.float", to=_ELEMENT[dtype])
            zero = writer.constant("zero_code", np.array(ZERO_CODE, dtype))
            return writer.add("Sub", [cast, zero], f"{output}.centred")
        case Conv():
            return _conv(writer, node.op, inputs[0], output, dtype, compact)
        case Affine():
            return _affine(writer, node.op, inputs[0], output, dtype)
        case Clamp():
            return _clamp(writer, node.op, inputs[0], output, dtype)
        case Concat():
            return writer.add("Concat", inputs, output, axis=1)
        case MaxPool():
            return writer.add("MaxPool", inputs, output, **max_pool_attributes(node.op))
        case AvgPool():
            return writer.add("AveragePool", inputs, output, **average_attributes(node.op))
        case Add():
            return writer.add("Add", inputs, output)
        case Gate():
            return writer.add("Mul", inputs, output)
        case Reduce():
            return _reduce(writer, node.op, inputs, output)
        case Sigmoid():
            return writer.add("Sigmoid", inputs, output)
        case Features():
            return writer.add("Flatten", inputs, output)
        case Softmax():
            flat = writer.add("Flatten", inputs, f"{output}.flat")
            return writer.add("Softmax", [flat], output)


def _reduce(writer: OnnxWriter, reduce: Reduce, inputs: list[str], output: str) -> str:
    """Over space as a global pool, which more compilers take than a reduction."""
    match reduce.axis, reduce.reduction:
        case Axis.SPACE, Reduction.MEAN:
            return writer.add("GlobalAveragePool", inputs, output)
        case Axis.SPACE, Reduction.MAX:
            return writer.add("GlobalMaxPool", inputs, output)
        case _:
            op = f"Reduce{reduce.reduction.capitalize()}"
            return writer.add(op, inputs, output, axes=[1], keepdims=1)


def _conv(
    writer: OnnxWriter, conv: Conv, value: str, output: str, dtype: Float, compact: bool
) -> str:
    kernel = conv.weight.astype(dtype)
    store = writer.compact if compact else writer.constant
    weight = store(f"{output}.weight", kernel)
    bias = writer.constant(f"{output}.bias", conv.bias.astype(dtype))
    result = f"{output}.sum" if conv.relu else output
    writer.add("Conv", [value, weight, bias], result, **conv_attributes(conv))
    return emit_relu(writer, result, output, conv.ceiling, dtype) if conv.relu else result


def emit_relu(
    writer: OnnxWriter, value: str, output: str, ceiling: float, dtype: Float = np.float32
) -> str:
    """Append a ReLU, or a clip where it has a ceiling."""
    if np.isinf(ceiling):
        return writer.add("Relu", [value], output)
    limits = [writer.constant(f"limit_{each}", np.array(each, dtype)) for each in (0.0, ceiling)]
    return writer.add("Clip", [value, *limits], output)


def _affine(writer: OnnxWriter, affine: Affine, value: str, output: str, dtype: Float) -> str:
    scale = writer.constant(f"{output}.scale", _per_channel(affine.scale, dtype))
    shift = writer.constant(f"{output}.shift", _per_channel(affine.shift, dtype))
    scaled = writer.add("Mul", [value, scale], f"{output}.scaled")
    result = f"{output}.sum" if affine.relu else output
    writer.add("Add", [scaled, shift], result)
    return writer.add("Relu", [result], output) if affine.relu else result


def _clamp(writer: OnnxWriter, clamp: Clamp, value: str, output: str, dtype: Float) -> str:
    limits = {"Max": (clamp.low, -np.inf), "Min": (clamp.high, np.inf)}
    bounds = {
        op: writer.constant(f"{output}.{op.lower()}", _per_channel(limit, dtype))
        for op, (limit, idle) in limits.items()
        if (limit != idle).any()
    }
    return writer.clamp(value, output, bounds) if bounds else value


def _per_channel(values: Array, dtype: Float) -> NDArray[Any]:
    return values.astype(dtype)[None, :, None, None]
