"""ONNX files, as ONNX Runtime and NPU compilers read them."""

from __future__ import annotations

import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto

from dcrnet_export.emitters.onnx_float import onnx_float, onnx_fp16
from dcrnet_export.emitters.onnx_int8 import onnx_int8
from dcrnet_export.emitters.onnx_qdq import onnx_qdq
from dcrnet_export.emitters.onnx_writer import set_card
from dcrnet_export.formats.file_format import (
    FileFormat,
    FloatEmitter,
    IntegerEmitter,
    interface_problem,
)
from dcrnet_export.ir.graph import Graph
from dcrnet_export.passes.quantization import QuantizedGraph
from dcrnet_runtime.backends.card import CARD_KEY, ModelCard
from dcrnet_runtime.backends.model import FEATURES_NAME, INPUT_NAME, OUTPUT_NAME, ModelFormat
from dcrnet_runtime.backends.precision import Precision

_STANDARD_DOMAINS = {"", "ai.onnx"}


def _fp32(graph: Graph, batch: int | None) -> bytes:
    return _serialized(onnx_float(graph, batch))


def _fp16(graph: Graph, batch: int | None) -> bytes:
    return _serialized(onnx_fp16(graph, batch))


def _int8(quantized: QuantizedGraph, batch: int | None) -> bytes:
    return _serialized(onnx_int8(quantized, batch))


def _qdq(quantized: QuantizedGraph, batch: int | None) -> bytes:
    return _serialized(onnx_qdq(quantized, batch))


def _serialized(model: onnx.ModelProto) -> bytes:
    return model.SerializeToString(deterministic=True)


def _with_card(content: bytes, card: ModelCard) -> bytes:
    model = onnx.load_from_string(content)
    set_card(model, CARD_KEY, card.to_json())
    return _serialized(model)


def _card_text(content: bytes) -> str | None:
    try:
        model = onnx.load_from_string(content)
    except DecodeError as error:
        raise ValueError("no ONNX") from error
    return {each.key: each.value for each in model.metadata_props}.get(CARD_KEY)


def _structure_problem(content: bytes, card: ModelCard) -> str | None:
    model = onnx.load_from_string(content)
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # the checker and shape inference share no base class
        return f"is no valid ONNX: {str(error).strip().splitlines()[0]}"
    foreign = {node.op_type for node in model.graph.node if node.domain not in _STANDARD_DOMAINS}
    if foreign:
        return f"uses operators outside the ONNX standard: {', '.join(sorted(foreign))}"
    if any(each.data_location == TensorProto.EXTERNAL for each in model.graph.initializer):
        return "keeps weights in another file"
    side, labels = card.preprocess.size_px, len(card.labels)
    wanted = [
        (INPUT_NAME, TensorProto.UINT8, [side, side, 3]),
        (OUTPUT_NAME, TensorProto.FLOAT, [labels]),
    ]
    if count := card.feature_count:
        wanted.append((FEATURES_NAME, TensorProto.FLOAT, [count]))
    found = [
        (
            value.name,
            value.type.tensor_type.elem_type,
            [dim.dim_value for dim in value.type.tensor_type.shape.dim][1:],
        )
        for value in (*model.graph.input, *model.graph.output)
    ]
    return interface_problem(found, wanted)


_FLOAT: dict[Precision, FloatEmitter] = {Precision.FP32: _fp32, Precision.FP16: _fp16}
_INTEGER: dict[Precision, IntegerEmitter] = {Precision.INT8: _int8, Precision.INT8_QDQ: _qdq}

ONNX = FileFormat(
    ModelFormat.ONNX,
    _FLOAT,
    _INTEGER,
    _with_card,
    _card_text,
    _structure_problem,
    has_free_batch=True,
)
"""Without dynamic-range int8, which ONNX Runtime computes slower than float."""
