"""Multiply-accumulates of one inference, counted from the model's own graph.

A MAC is one product added to a sum: two floating-point operations, so FLOPs = 2 x MACs. Only
convolutions and matrix products are counted; the element-wise rest is below a percent in such
networks, and no two tools count it alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dcrnet_runtime.backends.interpreter import load_interpreter
from dcrnet_runtime.backends.model import ModelFormat

Shape = tuple[int, ...]

_STANDARD_DOMAINS = ("", "ai.onnx")
# Where the weights stand among a node's inputs.
_ONNX_CONVOLUTIONS = {"Conv": 1, "ConvInteger": 1, "FusedConv": 1, "QLinearConv": 3}
_ONNX_PRODUCTS = {"MatMul", "MatMulInteger", "Gemm", "QLinearMatMul", "QGemm"}
_ONNX_TRANSPOSABLE = {"Gemm", "QGemm"}
_ONNX_CONTROL_FLOW = {"If", "Loop", "Scan"}
_ONNX_UNCOUNTED = {"ConvTranspose", "Einsum", "Attention", "GRU", "LSTM", "RNN"}
_TFLITE_UNCOUNTED = {"TRANSPOSE_CONV", "CONV_3D", "IF", "WHILE", "CALL_ONCE", "LSTM"}


class NotCountedError(Exception):
    """The graph's MACs cannot be told; the text says why."""


def count_macs(path: Path, model_format: ModelFormat) -> int:
    """MACs of one inference of one crop.

    Raises:
        NotCountedError: the reason.
    """
    match model_format:
        case ModelFormat.ONNX:
            return sum(_onnx_macs(path))
        case ModelFormat.TFLITE:
            return sum(_tflite_macs(path))


def _onnx_macs(path: Path) -> Iterator[int]:
    try:
        import onnx
        from onnx import inliner, shape_inference
    except ImportError as error:
        raise NotCountedError("needs pip install 'dcrnet-edge[bench]'") from error
    model = onnx.load(str(path))
    if model.functions:
        model = inliner.inline_local_functions(model)
    for value in model.graph.input:
        # A free batch is counted as one crop.
        value.type.tensor_type.shape.dim[0].dim_value = 1
    shapes = _onnx_shapes(shape_inference.infer_shapes(model, data_prop=True).graph)
    for node in model.graph.node:
        yield _node_macs(node, shapes)


def _onnx_shapes(graph: Any) -> dict[str, Shape]:
    """The shapes that are known in full, by the tensor's name."""
    shapes: dict[str, Shape] = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value":
                shapes[node.output[0]] = tuple(attribute.t.dims)
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        if all(dim.HasField("dim_value") for dim in dims):
            shapes[value.name] = tuple(dim.dim_value for dim in dims)
    return shapes


def _node_macs(node: Any, shapes: Mapping[str, Shape]) -> int:
    name = node.op_type
    if name in _ONNX_CONVOLUTIONS:
        # Every output is a sum over one kernel: (out, in / groups, height, width).
        kernel = _known(node, node.input[_ONNX_CONVOLUTIONS[name]], shapes)
        return math.prod(_known(node, node.output[0], shapes)) * math.prod(kernel[1:])
    if name in _ONNX_PRODUCTS:
        left = _known(node, node.input[0], shapes)
        summed = left[0] if name in _ONNX_TRANSPOSABLE and _is_transposed(node) else left[-1]
        return math.prod(_known(node, node.output[0], shapes)) * summed
    if name in _ONNX_UNCOUNTED | _ONNX_CONTROL_FLOW:
        raise NotCountedError(f"the graph holds {name}")
    if node.domain not in _STANDARD_DOMAINS and not name.startswith("QLinear"):
        raise NotCountedError(f"the graph holds {node.domain}.{name}")
    return 0


def _is_transposed(node: Any) -> bool:
    return any(attribute.name == "transA" and attribute.i for attribute in node.attribute)


def _known(node: Any, tensor: str, shapes: Mapping[str, Shape]) -> Shape:
    if tensor not in shapes:
        raise NotCountedError(f"no shape is inferred around {node.op_type} {node.name}".strip())
    return shapes[tensor]


def _tflite_macs(path: Path) -> Iterator[int]:
    interpreter = load_interpreter(path.read_bytes(), threads=1)
    if not hasattr(interpreter, "_get_ops_details"):
        raise NotCountedError("this TFLite interpreter does not show its graph")
    shapes = {
        detail["index"]: tuple(map(int, detail["shape"]))
        for detail in interpreter.get_tensor_details()
    }
    # Before tensors are allocated no delegate has swallowed a part of the graph.
    for operation in interpreter._get_ops_details():
        inputs = [shapes.get(int(index), ()) for index in operation["inputs"]]
        output = shapes.get(int(operation["outputs"][0]), ())
        yield _operation_macs(operation["op_name"], inputs, output)


def _operation_macs(name: str, inputs: list[Shape], output: Shape) -> int:
    match name:
        case "CONV_2D" | "FULLY_CONNECTED":  # weights (out, ..., in)
            return math.prod(output) * math.prod(inputs[1][1:])
        case "DEPTHWISE_CONV_2D":  # weights (1, height, width, out)
            return math.prod(output) * math.prod(inputs[1][1:3])
        case "BATCH_MATMUL":
            # Whichever side is transposed, left holds rows x summed elements.
            rows = math.prod(output[:-1])
            return math.prod(inputs[0]) // rows * math.prod(output)
        case _ if name in _TFLITE_UNCOUNTED:
            raise NotCountedError(f"the graph holds {name}")
        case _:
            return 0
