"""TFLite with float16 and int8 kernels, in both interpreters."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import interpreter as litert
from ai_edge_litert import schema_py_generated as schema
from export.fixtures import Faces, Probabilities
from numpy.typing import NDArray

from dcrnet_edge.models.checkpoint import Checkpoint
from dcrnet_export.artifacts.kind import ArtifactKind, build_content
from dcrnet_export.artifacts.origin import exported_card
from dcrnet_export.emitters.tflite_float import tflite_float
from dcrnet_export.emitters.tflite_storage import Storage
from dcrnet_export.emitters.tflite_writer import TFLiteWriter
from dcrnet_export.ir.graph import Graph
from dcrnet_export.ir.lowering import lower
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import Backend, ModelFormat
from dcrnet_runtime.backends.precision import Precision
from dcrnet_runtime.errors import DcrnetError


def older() -> Any:
    return import_module("tflite_runtime.interpreter")


def run(module: Any, content: bytes, inputs: NDArray[Any]) -> NDArray[Any]:
    interpreter = module.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]
    rows = []
    for each in inputs:
        interpreter.set_tensor(given, each[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(result)[0].copy())
    return np.stack(rows)


@pytest.fixture(scope="module")
def graph(checkpoint: Checkpoint) -> Graph:
    return lower(checkpoint.network, 64, checkpoint.ranges[64])


def test_fp16_file_is_half_as_large_and_within_budget(
    graph: Graph, faces: Faces, expected: Probabilities
) -> None:
    content = tflite_float(graph, Storage.FP16)
    assert len(content) < 24e6
    assert np.abs(run(litert, content, faces[:4]) - expected[:4]).max() < 5e-3


@pytest.mark.tflite_runtime
def test_fp16_file_is_within_budget_in_tflite_runtime(
    graph: Graph, faces: Faces, expected: Probabilities
) -> None:
    content = tflite_float(graph, Storage.FP16)
    assert np.abs(run(older(), content, faces[:4]) - expected[:4]).max() < 5e-3


def test_dynamic_range_file_is_a_quarter_and_runs_in_litert(
    graph: Graph, faces: Faces, expected: Probabilities
) -> None:
    content = tflite_float(graph, Storage.INT8)
    assert len(content) < 12.5e6
    got = run(litert, content, faces)
    assert np.abs(got - expected).mean() < 0.04
    model = schema.ModelT.InitFromPackedBuf(content)
    dense = {schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOperator.QUANTIZE}
    assert not dense & {code.builtinCode for code in model.operatorCodes}


@pytest.mark.tflite_runtime
def test_tflite_runtime_gets_dynamic_range_wrong() -> None:
    """Why it is refused there: a dense layer with a scale a row comes out as zeros."""
    weight = np.arange(1, 9, dtype=np.int8)[:, None] * np.ones((1, 4), np.int8)
    writer = TFLiteWriter()
    given = writer.tensor("x", (1, 4), np.float32)
    kernel = writer.constant("w", weight, np.full(8, 0.5, np.float32))
    bias = writer.constant("b", np.zeros(8, np.float32))
    result = writer.tensor("y", (1, 8), np.float32)
    options = schema.FullyConnectedOptionsT()
    writer.add(schema.BuiltinOperator.FULLY_CONNECTED, 9, [given, kernel, bias], result, options)
    content = writer.content(given, [result])
    ones = np.ones((1, 4), np.float32)
    want = weight.sum(axis=1) * 0.5
    np.testing.assert_allclose(run(litert, content, ones)[0], want, rtol=0.02)
    assert not np.allclose(run(older(), content, ones)[0], want, rtol=0.5)


@pytest.mark.tflite_runtime
def test_a_model_is_answered_by_tflite_runtime(
    graph: Graph, checkpoint: Checkpoint, tmp_path: Path, faces: Faces, expected: Probabilities
) -> None:
    kind = ArtifactKind(ModelFormat.TFLITE, Precision.FP32)
    path = tmp_path / kind.file_name("dcrnet", 64)
    path.write_bytes(build_content(kind, graph, exported_card(checkpoint.card, "", kind)))
    model = load_model(path, backend=Backend.TFLITE_RUNTIME)
    np.testing.assert_allclose(model.probabilities(faces), expected, atol=1e-4)


@pytest.mark.tflite_runtime
def test_runtime_refuses_dynamic_range_in_tflite_runtime(
    graph: Graph, checkpoint: Checkpoint, tmp_path: Path, faces: Faces
) -> None:
    kind = ArtifactKind(ModelFormat.TFLITE, Precision.DYNAMIC_RANGE)
    card = exported_card(checkpoint.card, "", kind)
    path = tmp_path / kind.file_name("dcrnet", 64)
    path.write_bytes(build_content(kind, graph, card))
    assert load_model(path, backend=Backend.LITERT).probabilities(faces[:1]).shape == (1, 7)
    with pytest.raises(DcrnetError, match=r"dynamic-range .*ai-edge-litert.*int8"):
        load_model(path, backend=Backend.TFLITE_RUNTIME)
