"""Exported bytes run by their interpreters, and the codes inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray
from onnx import TensorProto, helper

from dcrnet_export.emitters.onnx_int8 import onnx_int8
from dcrnet_export.ir.graph import AvgPool, Clamp
from dcrnet_export.passes.quantization import INT8_OFFSET, QuantizedGraph
from dcrnet_runtime.backends.model import INPUT_NAME

Codes = dict[str, NDArray[np.uint8]]
"""Value -> (C, side, side) uint8."""


def onnx_session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """One thread, no warnings."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def run_onnx(model: onnx.ModelProto, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, labels) probabilities."""
    opened = onnx_session(model)
    return np.concatenate([opened.run(None, {INPUT_NAME: face[None]})[0] for face in faces])


def onnx_codes(quantized: QuantizedGraph, face: NDArray[np.uint8]) -> Codes:
    """The codes that ONNX Runtime computes inside an integer model."""
    model = onnx_int8(quantized)
    names = {output for node in model.graph.node for output in node.output}
    tensors = {INPUT_NAME: f"{INPUT_NAME}.planes"}
    for node in quantized.graph.nodes[1:]:
        if f"{node.name}.codes" in names:
            tensors[node.name] = f"{node.name}.codes"
        elif quantized.on_codes(node) and node.name in names:
            tensors[node.name] = node.name
    for tensor in tensors.values():
        model.graph.output.append(helper.make_tensor_value_info(tensor, TensorProto.UINT8, None))
    results = onnx_session(model).run(list(tensors.values()), {INPUT_NAME: face[None]})
    codes = dict(zip(tensors, (result[0] for result in results), strict=True))
    return _with_idle_clamps(codes, quantized)


def run_tflite(interpreter: Any, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, labels) probabilities."""
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]
    rows = []
    for face in faces:
        interpreter.set_tensor(given, face[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(result)[0].copy())
    return np.stack(rows)


def tflite_codes(content: bytes, quantized: QuantizedGraph, face: NDArray[np.uint8]) -> Codes:
    """The codes that LiteRT computes inside an integer model, without XNNPACK."""
    interpreter = Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    run_tflite(interpreter, face[None])
    details = {detail["name"]: detail for detail in interpreter.get_tensor_details()}
    codes: Codes = {}
    removed: dict[str, Any] = {}
    for node in quantized.graph.nodes:
        forms = (f"{node.name}.codes", node.name, f"{node.name}.mined", f"{node.name}.maxed")
        name = next((each for each in forms if each in details), None)
        if node.name not in quantized.codings or name is None:
            continue
        if details[name]["dtype"] is not np.int8:
            continue
        match node.op:
            case Clamp() if name == node.name:
                removed[node.name] = quantized.codings[node.name].encode(node.op.low).astype(int)
            case AvgPool() if node.inputs[0] in removed:
                removed[node.name] = removed[node.inputs[0]]
        values = interpreter.get_tensor(details[name]["index"])[0].astype(int) + INT8_OFFSET
        values = values + removed.get(node.name, 0)
        codes[node.name] = values.transpose(2, 0, 1).astype(np.uint8)
    return _with_idle_clamps(codes, quantized)


def _with_idle_clamps(codes: Codes, quantized: QuantizedGraph) -> Codes:
    """Clamps that no file holds, because the codes end where they act."""
    for node in quantized.graph.nodes:
        if isinstance(node.op, Clamp) and node.name not in codes and node.inputs[0] in codes:
            codes[node.name] = codes[node.inputs[0]]
    return codes


def delegated_pieces(content: bytes) -> int:
    """Into how many pieces XNNPACK cuts a TFLite model."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    names = [detail["op_name"] for detail in interpreter._get_ops_details()]
    return names.count("DELEGATE")
