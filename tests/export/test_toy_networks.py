"""Networks that the exporter has never heard of, through every pass and both formats."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from ai_edge_litert.interpreter import Interpreter
from export.fixtures import Faces, MakeFaces, TorchProbabilities
from export.interpreters import (
    Codes,
    delegated_pieces,
    onnx_codes,
    run_onnx,
    run_tflite,
    tflite_codes,
)
from export.toy_networks import TOYS, GatedNet, SeparableNet, ToyConfig
from generated import LABELS
from torch import Tensor, nn

from dcrnet_edge.models.activation_ranges import activation_ranges
from dcrnet_edge.models.batch_norm import renew_batch_norms
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_export.emitters.onnx_float import onnx_float, onnx_fp16
from dcrnet_export.emitters.onnx_int8 import onnx_int8
from dcrnet_export.emitters.onnx_qdq import onnx_qdq
from dcrnet_export.emitters.tflite_float import tflite_float
from dcrnet_export.emitters.tflite_int8 import tflite_int8
from dcrnet_export.emitters.tflite_storage import Storage
from dcrnet_export.ir.graph import Add, AvgPool, Clamp, Concat, Conv, Graph, Input, MaxPool, Op
from dcrnet_export.ir.lowering import lower
from dcrnet_export.ir.reference import run_reference
from dcrnet_export.passes.channel_equalization import equalize_channels
from dcrnet_export.passes.integer_reference import IntegerExecutor
from dcrnet_export.passes.mixed_precision import keep_in_float
from dcrnet_export.passes.quantization import QuantizedGraph, WeightLimit, quantize
from dcrnet_export.passes.sensitivity import layer_errors
from dcrnet_runtime.backends.model import OUTPUT_NAME
from dcrnet_runtime.errors import DcrnetError

SIDE = 32
Networks = dict[type[FaceNetwork], FaceNetwork]
Graphs = dict[type[FaceNetwork], Graph]
Quantized = dict[WeightLimit, dict[type[FaceNetwork], QuantizedGraph]]
ALL = pytest.mark.parametrize("kind", TOYS, ids=lambda kind: kind.architecture)


def to_batch(faces: Faces) -> Tensor:
    return torch.from_numpy(faces).permute(0, 3, 1, 2)


@pytest.fixture(scope="module")
def networks(make_faces: MakeFaces) -> Networks:
    """Random toys with statistics that fit the data."""
    torch.manual_seed(3)
    found: Networks = {}
    for kind in TOYS:
        network = kind(ToyConfig(LABELS)).eval()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, 1.0, 0.7)
        renew_batch_norms(network, [to_batch(make_faces(12, SIDE, seed=1))])
        found[kind] = network
    return found


@pytest.fixture(scope="module")
def graphs(networks: Networks, make_faces: MakeFaces) -> Graphs:
    codes = to_batch(make_faces(64, SIDE, seed=2))
    return {
        kind: lower(network, SIDE, activation_ranges(network, [codes]))
        for kind, network in networks.items()
    }


@pytest.fixture(scope="module")
def quantized(graphs: Graphs) -> Quantized:
    return {
        limit: {k: quantize(equalize_channels(graph), limit) for k, graph in graphs.items()}
        for limit in WeightLimit
    }


@pytest.fixture(scope="module")
def faces(make_faces: MakeFaces) -> Faces:
    return make_faces(6, SIDE)


@ALL
def test_graph_equals_torch(
    networks: Networks, graphs: Graphs, faces: Faces, kind: type[FaceNetwork]
) -> None:
    double = copy.deepcopy(networks[kind]).double()
    double.normalise = lambda codes: networks[kind].normalise(codes.double()).double()  # type: ignore[method-assign]
    with torch.inference_mode():
        want = torch.softmax(double(to_batch(faces)), dim=1).numpy()
    got = np.stack([run_reference(graphs[kind], face)[OUTPUT_NAME].ravel() for face in faces])
    np.testing.assert_allclose(got, want, atol=1e-6)


@ALL
def test_float_files_equal_torch(
    networks: Networks,
    graphs: Graphs,
    faces: Faces,
    torch_probabilities: TorchProbabilities,
    kind: type[FaceNetwork],
) -> None:
    want = torch_probabilities(networks[kind], faces)
    np.testing.assert_allclose(run_onnx(onnx_float(graphs[kind]), faces), want, atol=1e-5)
    content = tflite_float(graphs[kind])
    np.testing.assert_allclose(
        run_tflite(Interpreter(model_content=content), faces), want, atol=1e-5
    )


@ALL
def test_reduced_float_files_stay_near_torch(
    networks: Networks,
    graphs: Graphs,
    faces: Faces,
    torch_probabilities: TorchProbabilities,
    kind: type[FaceNetwork],
) -> None:
    want = torch_probabilities(networks[kind], faces)
    np.testing.assert_allclose(run_onnx(onnx_fp16(graphs[kind]), faces), want, atol=5e-3)
    for storage, tolerance in ((Storage.FP16, 5e-3), (Storage.INT8, 0.05)):
        content = tflite_float(graphs[kind], storage)
        got = run_tflite(Interpreter(model_content=content), faces)
        np.testing.assert_allclose(got, want, atol=tolerance)


@ALL
def test_equalized_graph_is_the_same_function(
    graphs: Graphs, make_faces: MakeFaces, kind: type[FaceNetwork]
) -> None:
    equal = equalize_channels(graphs[kind], snap=False)
    for face in make_faces(64, SIDE, seed=2)[:3]:
        want, got = (run_reference(each, face)[OUTPUT_NAME] for each in (graphs[kind], equal))
        np.testing.assert_allclose(got, want, atol=1e-6)


def check_codes(quantized: QuantizedGraph, codes: Codes) -> Counter[type[Op]]:
    """Each operation on codes against the reference, fed with the interpreter's own codes."""
    executor = IntegerExecutor(quantized)
    compared: Counter[type[Op]] = Counter()
    for node in quantized.graph.nodes:
        if not quantized.on_codes(node) or isinstance(node.op, Input):
            continue
        if any(name not in codes for name in (node.name, *node.inputs)):
            continue
        want = executor.step(node, [codes[name] for name in node.inputs]).astype(int)
        difference = np.abs(codes[node.name].astype(int) - want)
        is_moved = isinstance(node.op, Clamp | Concat | MaxPool)
        assert difference.max(initial=0) <= (0 if is_moved else 1), node.name
        # TFLite rounds twice, so that of a 3x3 mean's ninths four become one.
        rare = 0.15 if isinstance(node.op, AvgPool) else 0.05
        assert (difference > 0).mean() < rare, node.name
        compared[type(node.op)] += 1
    return compared


def integer_convolutions(quantized: QuantizedGraph) -> int:
    nodes = quantized.graph.nodes
    return sum(isinstance(node.op, Conv) and quantized.on_codes(node) for node in nodes)


@ALL
def test_integer_onnx_is_the_references(
    quantized: Quantized, faces: Faces, kind: type[FaceNetwork]
) -> None:
    each = quantized[WeightLimit.REDUCED][kind]
    compared = check_codes(each, onnx_codes(each, faces[0]))
    assert compared[Conv] == sum(
        isinstance(n.op, Conv) and each.on_codes(n) for n in each.graph.nodes
    )


@ALL
def test_integer_tflite_is_the_references(
    quantized: Quantized, faces: Faces, kind: type[FaceNetwork]
) -> None:
    each = quantized[WeightLimit.FULL][kind]
    codes = tflite_codes(tflite_int8(each), each, faces[0])
    compared = check_codes(each, codes)
    assert compared[Conv] == sum(
        isinstance(n.op, Conv) and each.on_codes(n) for n in each.graph.nodes
    )


@ALL
def test_int8_stays_near_torch(
    networks: Networks,
    quantized: Quantized,
    faces: Faces,
    torch_probabilities: TorchProbabilities,
    kind: type[FaceNetwork],
) -> None:
    want = torch_probabilities(networks[kind], faces)
    reduced, full = (quantized[limit][kind] for limit in WeightLimit)
    executor = IntegerExecutor(reduced)
    reference = np.stack([executor.run(face)[1][OUTPUT_NAME].ravel() for face in faces])
    assert np.abs(reference - want).max() < 0.04
    for got in (
        run_onnx(onnx_int8(reduced), faces),
        run_onnx(onnx_qdq(reduced), faces),
        run_tflite(Interpreter(model_content=tflite_int8(full)), faces),
    ):
        assert np.abs(got - want).max() < 0.04


@ALL
def test_symmetric_codes_stay_near_torch(
    networks: Networks,
    graphs: Graphs,
    faces: Faces,
    torch_probabilities: TorchProbabilities,
    kind: type[FaceNetwork],
) -> None:
    equal = equalize_channels(graphs[kind], symmetric=True)
    # Reduced, since the test also runs where ONNX Runtime's kernels saturate.
    symmetric = quantize(equal, WeightLimit.REDUCED, symmetric=True)
    got = run_onnx(onnx_qdq(symmetric), faces)
    assert np.abs(got - torch_probabilities(networks[kind], faces)).max() < 0.05


def test_edge_network_is_integer_up_to_its_pooled_features(
    graphs: Graphs, quantized: Quantized
) -> None:
    each = quantized[WeightLimit.REDUCED][SeparableNet]
    in_float = [n.name for n in each.graph.nodes if not each.on_codes(n)]
    assert in_float == ["pooled", "classifier", OUTPUT_NAME]
    assert sum(isinstance(node.op, Add) for node in each.graph.nodes) == 3
    assert not any(isinstance(node.op, Clamp) for node in graphs[SeparableNet].nodes)


def test_sum_that_loses_much_can_stay_in_float(
    networks: Networks, graphs: Graphs, faces: Faces, torch_probabilities: TorchProbabilities
) -> None:
    graph = graphs[SeparableNet]
    sums = [node.name for node in graph.nodes if isinstance(node.op, Add)]
    quantized = quantize(equalize_channels(graph), WeightLimit.FULL)
    losses = {error.layer: error.noise for error in layer_errors(graph, quantized, faces[:2])}
    assert all(0 < losses[name] < 0.01 for name in sums)
    mixed = quantize(equalize_channels(keep_in_float(graph, sums[:1])), WeightLimit.FULL)
    assert [name for name in sums if name not in mixed.integer] == sums[:2]  # the second reads it
    want = torch_probabilities(networks[SeparableNet], faces)
    for got in (
        run_onnx(onnx_int8(mixed), faces),
        run_tflite(Interpreter(model_content=tflite_int8(mixed)), faces),
    ):
        assert np.abs(got - want).max() < 0.04


def test_onnxruntime_runs_the_edge_network_in_integers(
    quantized: Quantized, tmp_path: Path
) -> None:
    """Its own optimised graph: integer sums, and floats only behind the last convolution."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    content = onnx_int8(quantized[WeightLimit.REDUCED][SeparableNet]).SerializeToString()
    onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    nodes = onnx.load(tmp_path / "optimized.onnx").graph.node
    counted = Counter(node.op_type for node in nodes)
    assert counted["QLinearAdd"] == 3
    assert counted["QLinearConv"] == 14
    assert counted["Add"] == counted["Max"] == counted["Min"] == counted["Pad"] == 0
    assert counted["DequantizeLinear"] <= 1
    assert counted["QuantizeLinear"] == 0


def test_xnnpack_takes_the_edge_network_in_one_piece(quantized: Quantized, graphs: Graphs) -> None:
    assert delegated_pieces(tflite_int8(quantized[WeightLimit.FULL][SeparableNet])) == 1
    assert delegated_pieces(tflite_float(graphs[SeparableNet])) == 1


def test_gated_network_leaves_integers_for_its_gates_alone(quantized: Quantized) -> None:
    each = quantized[WeightLimit.FULL][GatedNet]
    maps = [n for n in each.graph.nodes if each.graph.shapes()[n.name].side > 1]
    assert {type(n.op).__name__ for n in maps if not each.on_codes(n)} == {"Gate"}
    assert sum(isinstance(n.op, Add) and each.on_codes(n) for n in maps) == 2


@pytest.mark.parametrize(
    ("forward", "words"),
    [
        (lambda x: torch.softmax(x, dim=1), "softmax"),
        (lambda x: x * x.mean(dim=(2, 3), keepdim=True).expand_as(x), "expand_as"),
        (lambda x: nn.functional.pad(x, (1, 1, 1, 1)).relu(), "zero-padding"),
        (lambda x: nn.functional.conv2d(x, torch.ones(3, 3, 3, 3), dilation=2), "dilat"),
        (lambda x: x.flatten(1), "flatten gives"),
    ],
)
def test_what_cannot_be_exported_is_named(forward: Callable[[Tensor], Tensor], words: str) -> None:
    class Odd(nn.Module):
        def forward(self, codes: Tensor) -> Tensor:
            return forward(codes.float())

    with pytest.raises(DcrnetError, match=words):
        lower(Odd(), SIDE)
