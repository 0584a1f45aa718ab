"""QDQ files against the integer reference."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from export.fixtures import Faces, Probabilities
from export.interpreters import onnx_session, run_onnx
from onnx import TensorProto, helper

from dcrnet_edge.models.checkpoint import Checkpoint
from dcrnet_export.emitters.onnx_qdq import onnx_qdq
from dcrnet_export.ir.graph import Input
from dcrnet_export.ir.lowering import lower
from dcrnet_export.passes.channel_equalization import equalize_channels
from dcrnet_export.passes.integer_reference import IntegerExecutor
from dcrnet_export.passes.quantization import INT8_OFFSET, QuantizedGraph, WeightLimit, quantize
from dcrnet_runtime.backends.model import INPUT_NAME


@pytest.fixture(scope="module", params=[False, True], ids=["uint8", "symmetric int8"])
def quantized(request: pytest.FixtureRequest, checkpoint: Checkpoint) -> QuantizedGraph:
    graph = equalize_channels(
        lower(checkpoint.network, 64, checkpoint.ranges[64]), symmetric=request.param
    )
    return quantize(graph, WeightLimit.REDUCED, symmetric=request.param)


@pytest.fixture(scope="module")
def model(quantized: QuantizedGraph) -> onnx.ModelProto:
    return onnx_qdq(quantized)


def test_each_operation_on_codes_is_the_references(
    quantized: QuantizedGraph, model: onnx.ModelProto, faces: Faces
) -> None:
    """Fed with ONNX Runtime's own codes, so that no difference can add up or hide."""
    is_symmetric = {c.zero_point for c in quantized.codings.values()} == {INT8_OFFSET}
    stored = TensorProto.INT8 if is_symmetric else TensorProto.UINT8
    written = {output for node in model.graph.node for output in node.output}
    tensors = {name: f"{name}.codes" for name in quantized.codings}
    tensors = {name: codes for name, codes in tensors.items() if codes in written}
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    for tensor in tensors.values():
        watched.graph.output.append(helper.make_tensor_value_info(tensor, stored, None))
    results = onnx_session(watched).run(list(tensors.values()), {INPUT_NAME: faces[:1]})
    shift = INT8_OFFSET if is_symmetric else 0
    codes = {
        name: (result[0].astype(int) + shift).astype(np.uint8)
        for name, result in zip(tensors, results, strict=True)
    }
    codes[INPUT_NAME] = faces[0].transpose(2, 0, 1)
    executor = IntegerExecutor(quantized)
    compared = 0
    for node in quantized.graph.nodes:
        if isinstance(node.op, Input) or not quantized.on_codes(node):
            continue
        want = executor.step(node, [codes[name] for name in node.inputs]).astype(int)
        assert np.abs(codes[node.name].astype(int) - want).max(initial=0) <= 1, node.name
        compared += 1
    assert compared > 250


def test_stays_near_torch(model: onnx.ModelProto, faces: Faces, expected: Probabilities) -> None:
    got = run_onnx(model, faces)
    assert np.abs(got - expected).mean() < 0.04


def test_compilers_find_the_form_they_know(
    quantized: QuantizedGraph, model: onnx.ModelProto
) -> None:
    """Every Conv that has integer weights reads and gives codes; symmetric zeros are zeros."""
    producers = {node.output[0]: node for node in model.graph.node}
    readers = {name: node for node in model.graph.node for name in node.input}
    convolutions = {node.output[0]: node for node in model.graph.node if node.op_type == "Conv"}
    for name in quantized.weights:
        node = convolutions.get(name) or convolutions[f"{name}.sum"]
        assert {producers[given].op_type for given in node.input} == {"DequantizeLinear"}
        after = readers[node.output[0]]
        after = readers[after.output[0]] if after.op_type == "Relu" else after
        assert after.op_type == "QuantizeLinear"
    constants = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    pairs = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    if {coding.zero_point for coding in quantized.codings.values()} == {INT8_OFFSET}:
        zeros = [constants[node.input[2]] for node in pairs]
        assert all(zero == 0 and zero.dtype == np.int8 for zero in zeros)
