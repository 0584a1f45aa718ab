"""TFLite files in both interpreters, and their integer arithmetic against the reference."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from export.fixtures import Faces, MakeFaces, Probabilities, TorchProbabilities
from export.interpreters import delegated_pieces, run_tflite, tflite_codes

from dcrnet_edge.models.checkpoint import Checkpoint
from dcrnet_export.emitters.tflite_float import tflite_float
from dcrnet_export.emitters.tflite_int8 import tflite_int8
from dcrnet_export.ir.graph import Clamp, Concat, Input, MaxPool
from dcrnet_export.ir.lowering import lower
from dcrnet_export.passes.channel_equalization import equalize_channels
from dcrnet_export.passes.integer_reference import IntegerExecutor
from dcrnet_export.passes.quantization import QuantizedGraph, WeightLimit, quantize


@pytest.fixture(scope="module")
def quantized(checkpoint: Checkpoint) -> QuantizedGraph:
    graph = lower(checkpoint.network, 64, checkpoint.ranges[64])
    return quantize(equalize_channels(graph), WeightLimit.FULL)


@pytest.fixture(scope="module")
def int8_content(quantized: QuantizedGraph) -> bytes:
    return tflite_int8(quantized)


@pytest.fixture(scope="module")
def float_content(checkpoint: Checkpoint) -> bytes:
    return tflite_float(lower(checkpoint.network, 64))


def test_float_equals_torch(float_content: bytes, faces: Faces, expected: Probabilities) -> None:
    got = run_tflite(Interpreter(model_content=float_content, num_threads=1), faces)
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_float_at_another_size(
    checkpoint: Checkpoint, make_faces: MakeFaces, torch_probabilities: TorchProbabilities
) -> None:
    faces = make_faces(2, 128)
    content = tflite_float(lower(checkpoint.network, 128))
    got = run_tflite(Interpreter(model_content=content, num_threads=1), faces)
    np.testing.assert_allclose(got, torch_probabilities(checkpoint.network, faces), atol=1e-4)


@pytest.mark.tflite_runtime
def test_tflite_runtime_runs_the_float_file(
    float_content: bytes, faces: Faces, expected: Probabilities
) -> None:
    older = import_module("tflite_runtime.interpreter")
    got = run_tflite(older.Interpreter(model_content=float_content, num_threads=1), faces)
    np.testing.assert_allclose(got, expected, atol=1e-4)


@pytest.mark.tflite_runtime
def test_tflite_runtime_runs_the_int8_file(
    int8_content: bytes, faces: Faces, expected: Probabilities
) -> None:
    older = import_module("tflite_runtime.interpreter")
    got = run_tflite(older.Interpreter(model_content=int8_content, num_threads=1), faces[:4])
    assert np.abs(got - expected[:4]).mean() < 0.03


def test_int8_stays_near_torch(int8_content: bytes, faces: Faces, expected: Probabilities) -> None:
    got = run_tflite(Interpreter(model_content=int8_content, num_threads=1), faces)
    assert np.abs(got - expected).mean() < 0.03


def test_each_integer_operation_is_the_references(
    quantized: QuantizedGraph, int8_content: bytes, faces: Faces
) -> None:
    """Fed with the interpreter's own codes, so that no difference can add up or hide."""
    codes = tflite_codes(int8_content, quantized, faces[0])
    executor = IntegerExecutor(quantized)
    compared = 0
    for node in quantized.graph.nodes:
        if not quantized.on_codes(node) or isinstance(node.op, Input):
            continue
        want = executor.step(node, [codes[name] for name in node.inputs]).astype(int)
        difference = np.abs(codes[node.name].astype(int) - want)
        moved_only = isinstance(node.op, Clamp | Concat | MaxPool)
        assert difference.max(initial=0) <= (0 if moved_only else 1), node.name
        compared += 1
    assert compared > 250


@pytest.mark.parametrize("fixture", ["float_content", "int8_content"])
def test_nothing_is_transposed(request: pytest.FixtureRequest, fixture: str) -> None:
    model = schema.ModelT.InitFromPackedBuf(request.getfixturevalue(fixture))
    codes = {code.builtinCode for code in model.operatorCodes}
    assert schema.BuiltinOperator.TRANSPOSE not in codes


@pytest.mark.parametrize("fixture", ["float_content", "int8_content"])
def test_xnnpack_takes_the_whole_graph_in_one_piece(
    request: pytest.FixtureRequest, fixture: str
) -> None:
    assert delegated_pieces(request.getfixturevalue(fixture)) == 1


def test_int8_file_keeps_within_the_budget(int8_content: bytes) -> None:
    assert len(int8_content) <= 12.55e6  # trained ones have dead channels, and 12.5 at most


def test_equal_quantization_vectors_are_stored_once(int8_content: bytes) -> None:
    graph = schema.Model.GetRootAs(int8_content).Subgraphs(0)
    stored: dict[bytes, set[int]] = {}
    for i in range(graph.TensorsLength()):
        quantization = graph.Tensors(i).Quantization()
        if quantization is not None and quantization.ZeroPointLength():
            table = quantization._tab
            content = quantization.ZeroPointAsNumpy().tobytes()
            stored.setdefault(content, set()).add(table.Vector(table.Offset(10)))
    assert all(len(places) == 1 for places in stored.values())


def test_buffers_are_aligned(int8_content: bytes) -> None:
    model = schema.Model.GetRootAs(int8_content)
    for i in range(model.BuffersLength()):
        buffer = model.Buffers(i)
        if buffer.DataLength():
            field = schema.flatbuffers.number_types.UOffsetTFlags.py_type(buffer._tab.Offset(4))
            assert buffer._tab.Vector(field) % 16 == 0
