"""The traffic of small graphs, the machine's peak, and times that follow from both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from dcrnet_bench.profiling.graph import Node, NotCountedError, Tensor, read_graph
from dcrnet_bench.profiling.macs import LayerKind, MacCount
from dcrnet_bench.profiling.peak import MachinePeak, measure_peak
from dcrnet_bench.profiling.product_model import product_model
from dcrnet_bench.profiling.roofline import arithmetic_ms, traffic_ms
from dcrnet_bench.profiling.traffic import count_bytes
from dcrnet_runtime.backends.model import ModelFormat


def test_each_node_reads_its_inputs_and_writes_its_outputs(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Clip", ["x", "", "most"], ["a"]),
        helper.make_node("Reshape", ["a", "shape"], ["b"]),
        helper.make_node("MatMul", ["b", "w"], ["y"]),
    ]
    constants = {
        "most": np.float32(6),
        "shape": np.array([1, 12], np.int64),
        "w": np.ones((12, 5), np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "moving",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
        [numpy_helper.from_array(np.asarray(each), name) for name, each in constants.items()],
    )
    path = tmp_path / "m.onnx"
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    clip, product = 4 * (12 + 1 + 12), 4 * (12 + 12 * 5 + 5)
    assert count_bytes(read_graph(path, ModelFormat.ONNX)) == clip + product


def test_an_unknown_shape_is_not_guessed() -> None:
    with pytest.raises(NotCountedError, match="no shape is inferred around Relu a"):
        count_bytes([Node("Relu", "a", (Tensor((2,), 4),), (None,))])


@pytest.mark.parametrize(
    ("operator", "left", "right", "output"),
    [
        ("MatMul", "float32", "float32", "float32"),
        ("MatMulInteger", "uint8", "int8", "int32"),
    ],
)
def test_a_product_written_by_hand_is_a_valid_model(
    operator: str, left: str, right: str, output: str
) -> None:
    import onnxruntime

    weights = np.random.default_rng(0).integers(-5, 5, (200, 200)).astype(right)
    x = np.random.default_rng(1).integers(0, 9, (200, 200)).astype(left)
    content = product_model(operator, weights, left, output)
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    [y] = session.run(None, {"x": x})
    assert y.dtype == output
    assert np.array_equal(y, x.astype(np.int64) @ weights.astype(np.int64))


def test_the_peak_is_measured() -> None:
    peak = measure_peak(threads=1)
    assert peak.float_gmacs > 0.1
    assert peak.int8_gmacs > 0.1
    assert peak.copy_gb_s > 0.1


def test_times_follow_from_the_peak() -> None:
    peak = MachinePeak(float_gmacs=100.0, int8_gmacs=400.0, copy_gb_s=40.0)
    counts = [
        MacCount(LayerKind.CONVOLUTION, True, 1, 800_000_000),
        MacCount(LayerKind.PRODUCT, False, 1, 100_000_000),
    ]
    assert arithmetic_ms(counts, peak) == pytest.approx(2.0 + 1.0)
    assert traffic_ms(40_000_000, peak) == pytest.approx(1.0)
