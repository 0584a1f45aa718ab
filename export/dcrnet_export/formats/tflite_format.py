"""TFLite files, as LiteRT and tflite-runtime read them."""

from __future__ import annotations

from functools import partial

from ai_edge_litert import schema_py_generated as schema

from dcrnet_export.emitters.tflite_float import tflite_float
from dcrnet_export.emitters.tflite_int8 import tflite_int8
from dcrnet_export.emitters.tflite_storage import Storage
from dcrnet_export.emitters.tflite_writer import FILE_IDENTIFIER, append_card, card_text
from dcrnet_export.formats.file_format import (
    FileFormat,
    FloatEmitter,
    IntegerEmitter,
    interface_problem,
)
from dcrnet_export.ir.graph import Graph
from dcrnet_export.passes.quantization import QuantizedGraph, WeightLimit
from dcrnet_runtime.backends.card import ModelCard
from dcrnet_runtime.backends.model import FEATURES_NAME, INPUT_NAME, OUTPUT_NAME, ModelFormat
from dcrnet_runtime.backends.precision import Precision


def _float(storage: Storage, graph: Graph, batch: int | None) -> bytes:
    return tflite_float(graph, storage, _fixed(batch))


def _int8(quantized: QuantizedGraph, batch: int | None) -> bytes:
    return tflite_int8(quantized, _fixed(batch))


def _fixed(batch: int | None) -> int:
    if batch is None:
        raise ValueError("a TFLite file has a fixed batch")
    return batch


def _with_card(content: bytes, card: ModelCard) -> bytes:
    return append_card(content, card.to_json())


def _card_text(content: bytes) -> str | None:
    if content[4:8] != FILE_IDENTIFIER:
        raise ValueError("no TFLite")
    return card_text(content)


def _structure_problem(content: bytes, card: ModelCard) -> str | None:
    model = schema.Model.GetRootAs(content)
    if model.SubgraphsLength() != 1:
        return f"has {model.SubgraphsLength()} subgraphs instead of one"
    codes = [model.OperatorCodes(i) for i in range(model.OperatorCodesLength())]
    if any(code.BuiltinCode() == schema.BuiltinOperator.CUSTOM for code in codes):
        return "uses custom operators"
    graph = model.Subgraphs(0)
    indices = [*graph.InputsAsNumpy().tolist(), *graph.OutputsAsNumpy().tolist()]
    tensors = [graph.Tensors(i) for i in indices]
    side, labels = card.preprocess.size_px, len(card.labels)
    wanted = [
        (INPUT_NAME, schema.TensorType.UINT8, [side, side, 3]),
        (OUTPUT_NAME, schema.TensorType.FLOAT32, [labels]),
    ]
    if count := card.feature_count:
        wanted.append((FEATURES_NAME, schema.TensorType.FLOAT32, [count]))
    found = [
        (tensor.Name().decode(), tensor.Type(), tensor.ShapeAsNumpy().tolist()[1:])
        for tensor in tensors
    ]
    return interface_problem(found, wanted)


_FLOAT: dict[Precision, FloatEmitter] = {
    Precision.FP32: partial(_float, Storage.FP32),
    Precision.FP16: partial(_float, Storage.FP16),
    Precision.DYNAMIC_RANGE: partial(_float, Storage.INT8),
}
_INTEGER: dict[Precision, IntegerEmitter] = {Precision.INT8: _int8}

TFLITE = FileFormat(
    ModelFormat.TFLITE,
    _FLOAT,
    _INTEGER,
    _with_card,
    _card_text,
    _structure_problem,
    weight_limit=WeightLimit.FULL,
)
"""LiteRT's kernels take the full range of int8 weights everywhere."""
