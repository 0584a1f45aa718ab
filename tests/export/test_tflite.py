"""TFLite files in both interpreters, and their integer arithmetic against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from dcrnet_export.emitters.tflite_float import tflite_float
from dcrnet_export.emitters.tflite_int8 import tflite_int8
from dcrnet_export.ir.graph import AvgPool, Clamp, Concat, Input, MaxPool
from dcrnet_export.ir.lowering import lower
from dcrnet_export.passes.channel_equalization import equalize_channels
from dcrnet_export.passes.integer_reference import IntegerExecutor
from dcrnet_export.passes.quantization import INT8_OFFSET, WeightLimit, quantize


def run(interpreter, faces):
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]["index"]
    result = interpreter.get_output_details()[0]["index"]
    rows = []
    for face in faces:
        interpreter.set_tensor(given, face[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(result)[0].copy())
    return np.stack(rows)


@pytest.fixture(scope="module")
def quantized(checkpoint):
    graph = lower(checkpoint.network, 64, checkpoint.ranges[64])
    return quantize(equalize_channels(graph), WeightLimit.FULL)


@pytest.fixture(scope="module")
def int8_content(quantized):
    return tflite_int8(quantized)


@pytest.fixture(scope="module")
def float_content(checkpoint):
    return tflite_float(lower(checkpoint.network, 64))


def test_float_equals_torch(float_content, faces, expected):
    got = run(Interpreter(model_content=float_content, num_threads=1), faces)
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_float_at_another_size(checkpoint, make_faces, torch_probabilities):
    faces = make_faces(2, 128)
    content = tflite_float(lower(checkpoint.network, 128))
    got = run(Interpreter(model_content=content, num_threads=1), faces)
    np.testing.assert_allclose(got, torch_probabilities(checkpoint.network, faces), atol=1e-4)


def test_tflite_runtime_runs_the_float_file(float_content, faces, expected):
    older = pytest.importorskip("tflite_runtime.interpreter")
    got = run(older.Interpreter(model_content=float_content, num_threads=1), faces)
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_tflite_runtime_runs_the_int8_file(int8_content, faces, expected):
    older = pytest.importorskip("tflite_runtime.interpreter")
    got = run(older.Interpreter(model_content=int8_content, num_threads=1), faces[:4])
    assert np.abs(got - expected[:4]).mean() < 0.03


def test_int8_stays_near_torch(int8_content, faces, expected):
    got = run(Interpreter(model_content=int8_content, num_threads=1), faces)
    assert np.abs(got - expected).mean() < 0.03


def test_each_integer_operation_is_the_references(quantized, int8_content, faces):
    """Fed with the interpreter's own codes, so that no difference can add up or hide."""
    interpreter = Interpreter(
        model_content=int8_content,
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    run(interpreter, faces[:1])
    codes = _codes(interpreter, quantized)
    executor = IntegerExecutor(quantized)
    compared = 0
    for node in quantized.graph.nodes:
        if not quantized.on_codes(node) or isinstance(node.op, Input):
            continue
        if any(name not in codes for name in (node.name, *node.inputs)):
            continue
        want = executor.step(node, [codes[name] for name in node.inputs]).astype(int)
        difference = np.abs(codes[node.name].astype(int) - want)
        moved_only = isinstance(node.op, Clamp | Concat | MaxPool)
        assert difference.max(initial=0) <= (0 if moved_only else 1), node.name
        compared += 1
    assert compared > 250


def _codes(interpreter, quantized):
    """Every value as the uint8 codes (C, side, side) of the quantized graph."""
    details = {detail["name"]: detail for detail in interpreter.get_tensor_details()}
    codes = {}
    removed = {}
    for node in quantized.graph.nodes:
        encoded = f"{node.name}.codes"
        name = encoded if encoded in details else node.name
        if node.name not in quantized.codings or name not in details:
            continue
        if details[name]["dtype"] is not np.int8:
            continue
        match node.op:
            case Clamp():
                removed[node.name] = quantized.codings[node.name].encode(node.op.low).astype(int)
            case AvgPool():
                removed[node.name] = removed[node.inputs[0]]
        values = interpreter.get_tensor(details[name]["index"])[0].astype(int) + INT8_OFFSET
        values = values + removed.get(node.name, 0)
        codes[node.name] = values.transpose(2, 0, 1).astype(np.uint8)
    return codes


@pytest.mark.parametrize("fixture", ["float_content", "int8_content"])
def test_nothing_is_transposed(request, fixture):
    model = schema.ModelT.InitFromPackedBuf(request.getfixturevalue(fixture))
    codes = {code.builtinCode for code in model.operatorCodes}
    assert schema.BuiltinOperator.TRANSPOSE not in codes


@pytest.mark.parametrize("fixture", ["float_content", "int8_content"])
def test_xnnpack_takes_the_whole_graph_in_one_piece(request, fixture):
    interpreter = Interpreter(model_content=request.getfixturevalue(fixture), num_threads=1)
    interpreter.allocate_tensors()
    names = [detail["op_name"] for detail in interpreter._get_ops_details()]
    assert names.count("DELEGATE") == 1


def test_int8_file_keeps_within_the_budget(int8_content):
    assert len(int8_content) <= 12.55e6  # trained ones have dead channels, and 12.5 at most


def test_equal_quantization_vectors_are_stored_once(int8_content):
    graph = schema.Model.GetRootAs(int8_content).Subgraphs(0)
    stored = {}
    for i in range(graph.TensorsLength()):
        quantization = graph.Tensors(i).Quantization()
        if quantization is not None and quantization.ZeroPointLength():
            table = quantization._tab
            content = quantization.ZeroPointAsNumpy().tobytes()
            stored.setdefault(content, set()).add(table.Vector(table.Offset(10)))
    assert all(len(places) == 1 for places in stored.values())


def test_buffers_are_aligned(int8_content):
    model = schema.Model.GetRootAs(int8_content)
    for i in range(model.BuffersLength()):
        buffer = model.Buffers(i)
        if buffer.DataLength():
            field = schema.flatbuffers.number_types.UOffsetTFlags.py_type(buffer._tab.Offset(4))
            assert buffer._tab.Vector(field) % 16 == 0
