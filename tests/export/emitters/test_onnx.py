"""ONNX files against torch, and their integer arithmetic against the reference."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from export.fixtures import Faces, MakeFaces, Probabilities, TorchProbabilities
from export.interpreters import onnx_codes, run_onnx
from generated import LABELS

from dcrnet_edge.models.checkpoint import Checkpoint
from dcrnet_export.emitters.onnx_float import onnx_float
from dcrnet_export.emitters.onnx_int8 import onnx_int8
from dcrnet_export.emitters.onnx_qdq import onnx_qdq
from dcrnet_export.emitters.onnx_writer import set_card
from dcrnet_export.ir.graph import Affine, Conv, Graph, Input, Node, Softmax
from dcrnet_export.ir.lowering import lower
from dcrnet_export.ir.reference import run_reference
from dcrnet_export.passes.channel_equalization import equalize_channels
from dcrnet_export.passes.integer_reference import IntegerExecutor
from dcrnet_export.passes.quantization import QuantizedGraph, WeightLimit, quantize
from dcrnet_runtime.backends.card import CARD_KEY, ModelCard
from dcrnet_runtime.backends.loading import load_model
from dcrnet_runtime.backends.model import INPUT_NAME, OUTPUT_NAME
from dcrnet_runtime.preprocess.spec import PreprocessSpec


@pytest.fixture(scope="module")
def quantized(checkpoint: Checkpoint) -> QuantizedGraph:
    graph = lower(checkpoint.network, 64, checkpoint.ranges[64])
    return quantize(equalize_channels(graph), WeightLimit.REDUCED)


@pytest.mark.parametrize("side", [64, 128])
def test_float_equals_torch(
    checkpoint: Checkpoint,
    make_faces: MakeFaces,
    torch_probabilities: TorchProbabilities,
    side: int,
) -> None:
    faces = make_faces(4, side)
    got = run_onnx(onnx_float(lower(checkpoint.network, side)), faces)
    np.testing.assert_allclose(got, torch_probabilities(checkpoint.network, faces), atol=1e-4)


def test_float_has_no_batch_norm_and_one_transpose(checkpoint: Checkpoint) -> None:
    operators = [node.op_type for node in onnx_float(lower(checkpoint.network, 64)).graph.node]
    assert "BatchNormalization" not in operators
    assert operators.count("Transpose") == 1


def test_each_integer_operation_is_the_references(quantized: QuantizedGraph, faces: Faces) -> None:
    """Fed with ONNX Runtime's own codes, so that no difference can add up or hide."""
    codes = onnx_codes(quantized, faces[0])
    executor = IntegerExecutor(quantized)
    compared = 0
    for node in quantized.graph.nodes:
        if not quantized.on_codes(node) or isinstance(node.op, Input):
            continue
        want = executor.step(node, [codes[name] for name in node.inputs]).astype(int)
        difference = np.abs(codes[node.name].astype(int) - want)
        assert difference.max(initial=0) <= 1, node.name
        assert (difference > 0).mean() < 0.01, node.name
        compared += 1
    assert compared > 250


def test_int8_stays_near_torch(
    quantized: QuantizedGraph, faces: Faces, expected: Probabilities
) -> None:
    got = run_onnx(onnx_int8(quantized), faces)
    assert np.abs(got - expected).mean() < 0.03
    executor = IntegerExecutor(quantized)
    reference = np.stack([executor.run(face)[1][OUTPUT_NAME].ravel() for face in faces])
    assert np.abs(got - reference).mean() < 0.01


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("conv0", id="stem"),
        pytest.param("denseblock1.denselayer6.conv1", id="first block's end"),
        pytest.param("denseblock2.denselayer12.conv1", id="second block's end"),
    ],
)
def test_features_survive_quantization(
    checkpoint: Checkpoint, quantized: QuantizedGraph, faces: Faces, name: str
) -> None:
    """Per value, before a random network has magnified the rounding."""
    exact = equalize_channels(lower(checkpoint.network, 64, checkpoint.ranges[64]), snap=False)
    want = run_reference(exact, faces[0])[name]
    got = IntegerExecutor(quantized).run(faces[0])[1][name]
    inside = want <= quantized.graph.ranges[name][1].max()
    assert np.corrcoef(want[inside], got[inside])[0, 1] > 0.99


def test_int8_weights_are_bytes_and_the_rest_is_small(quantized: QuantizedGraph) -> None:
    model = onnx_int8(quantized)
    assert model.ByteSize() < 12.55e6
    convolutions = [node.op for node in quantized.graph.nodes if isinstance(node.op, Conv)]
    assert model.ByteSize() > 0.9 * sum(conv.weight.size for conv in convolutions)


def saturating(side: int) -> QuantizedGraph:
    """Seven sums over white pixels, each of products that a 16-bit pair cannot hold."""
    signs = np.ones((7, 3, side, side))
    for row in range(1, 7):
        signs[row].ravel()[: 32 * row] *= -1.0
    limits = np.full((2, 7), 127.0 * 3 * side * side)
    limits[0] *= -1.0
    nodes = (
        Node(INPUT_NAME, Input(side)),
        Node("sums", Conv(signs, np.zeros(7)), (INPUT_NAME,)),
        Node("logits", Affine(np.full(7, 1e-4), np.zeros(7)), ("sums",)),
        Node(OUTPUT_NAME, Softmax(), ("logits",)),
    )
    ranges = {INPUT_NAME: np.array([[-128.0] * 3, [127.0] * 3]), "sums": limits}
    return quantize(Graph(nodes, ranges), WeightLimit.FULL)


@pytest.mark.parametrize("emit", [onnx_int8, onnx_qdq])
def test_runtime_does_not_saturate_sums_over_full_range_weights(
    emit: Callable[[QuantizedGraph], onnx.ModelProto], tmp_path: Path
) -> None:
    """Processors without VNNI would, in ONNX Runtime's default kernels."""
    quantized = saturating(32)
    model = emit(quantized)
    set_card(model, CARD_KEY, ModelCard(LABELS, PreprocessSpec(size_px=32)).to_json())
    path = tmp_path / "full.onnx"
    path.write_bytes(model.SerializeToString())
    white = np.full((32, 32, 3), 255, np.uint8)
    want = IntegerExecutor(quantized).run(white)[1][OUTPUT_NAME].ravel()
    assert want.max() < 0.9  # no row drowns the others
    got = load_model(path).probabilities(white[None])[0]
    np.testing.assert_allclose(got, want, atol=0.02)
