"""MACs of graphs that are small enough to count by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from generated import TinyModel
from onnx import TensorProto, helper, numpy_helper

from dcrnet_bench.profiling.graph import Node, NotCountedError, Tensor, read_graph
from dcrnet_bench.profiling.macs import LayerKind, MacCount, count_macs
from dcrnet_runtime.backends.model import ModelFormat
from dcrnet_runtime.detectors.litert import FaceNetworks
from dcrnet_runtime.landmarks import shipped_landmarks

CONV_MACS = 8 * 32 * 32 * 3 * 3 * 3
GROUPED_MACS = 8 * 32 * 32 * 5 * 5
GEMM_MACS = 8 * 7


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    weights: dict[str, tuple[int, ...]],
    shape: Sequence[int | str],
    dtype: type[np.generic] = np.float32,
) -> Path:
    tensors = [numpy_helper.from_array(np.ones(s, dtype), name) for name, s in weights.items()]
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        list(nodes),
        "counted",
        [helper.make_tensor_value_info("x", element, list(shape))],
        [onnx.ValueInfoProto(name=nodes[-1].output[0])],
        tensors,
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    return path


def total(path: Path, model_format: ModelFormat = ModelFormat.ONNX) -> int:
    return sum(count.macs for count in count_macs(read_graph(path, model_format)))


@pytest.mark.parametrize("batch", [1, "batch"])
def test_convolution_groups_and_dense(tmp_path: Path, batch: int | str) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "depthwise"], ["c"], pads=[2, 2, 2, 2], group=8),
        helper.make_node("GlobalAveragePool", ["c"], ["d"]),
        helper.make_node("Flatten", ["d"], ["e"]),
        helper.make_node("Gemm", ["e", "dense"], ["f"], transB=1),
    ]
    weights = {"w": (8, 3, 3, 3), "depthwise": (8, 1, 5, 5), "dense": (7, 8)}
    path = save(tmp_path / "m.onnx", nodes, weights, [batch, 3, 64, 64])
    assert count_macs(read_graph(path, ModelFormat.ONNX)) == [
        MacCount(LayerKind.CONVOLUTION, False, 1, CONV_MACS),
        MacCount(LayerKind.DEPTHWISE, False, 1, GROUPED_MACS),
        MacCount(LayerKind.PRODUCT, False, 1, GEMM_MACS),
    ]


def test_quantized_convolution(tmp_path: Path) -> None:
    inputs = ["x", "scale", "zero", "w", "scale", "zero", "scale", "zero"]
    node = helper.make_node("QLinearConv", inputs, ["y"], pads=[1, 1, 1, 1], strides=[2, 2])
    path = save(
        tmp_path / "m.onnx", [node], {"w": (8, 3, 3, 3), "zero": ()}, [1, 3, 64, 64], np.uint8
    )
    model = onnx.load(path)
    model.graph.initializer.append(
        helper.make_tensor("scale", TensorProto.FLOAT, dims=(), vals=[1.0])
    )
    onnx.save(model, path)
    [count] = count_macs(read_graph(path, ModelFormat.ONNX))
    assert count == MacCount(LayerKind.CONVOLUTION, True, 1, CONV_MACS)


def test_batched_product(tmp_path: Path) -> None:
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    path = save(tmp_path / "m.onnx", [node], {"w": (5, 6)}, [1, 4, 5])
    assert total(path) == 4 * 5 * 6


def test_tiny_model_of_the_runtime(tiny_model: TinyModel) -> None:
    assert total(tiny_model()) == 3 * 7


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (helper.make_node("FusedThing", ["x"], ["y"], domain="com.microsoft"), "FusedThing"),
        (helper.make_node("ConvTranspose", ["x", "w"], ["y"]), "ConvTranspose"),
    ],
)
def test_what_is_not_understood_is_not_guessed(
    tmp_path: Path, node: onnx.NodeProto, reason: str
) -> None:
    path = save(tmp_path / "m.onnx", [node], {"w": (3, 8, 3, 3)}, [1, 3, 8, 8])
    with pytest.raises(NotCountedError, match=reason):
        total(path)


def test_unknown_shape_is_not_guessed(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    path = save(tmp_path / "m.onnx", [node], {"w": (8, 3, 3, 3)}, [1, 3, "height", "width"])
    with pytest.raises(NotCountedError, match="no shape"):
        total(path)


@pytest.mark.parametrize(
    ("name", "inputs", "output", "kind", "macs"),
    [
        (
            "CONV_2D",
            [(1, 64, 64, 3), (8, 3, 3, 3), (8,)],
            (1, 32, 32, 8),
            LayerKind.CONVOLUTION,
            CONV_MACS,
        ),
        (
            "CONV_2D",
            [(1, 32, 32, 3), (8, 1, 1, 3), (8,)],
            (1, 32, 32, 8),
            LayerKind.POINTWISE,
            8 * 32 * 32 * 3,
        ),
        (
            "DEPTHWISE_CONV_2D",
            [(1, 32, 32, 8), (1, 5, 5, 8)],
            (1, 32, 32, 8),
            LayerKind.DEPTHWISE,
            GROUPED_MACS,
        ),
        ("FULLY_CONNECTED", [(1, 8), (7, 8), (7,)], (1, 7), LayerKind.PRODUCT, GEMM_MACS),
        (
            "BATCH_MATMUL",
            [(2, 4, 5), (2, 5, 6)],
            (2, 4, 6),
            LayerKind.PRODUCT,
            2 * 4 * 5 * 6,
        ),
    ],
)
def test_tflite_operations(
    name: str,
    inputs: list[tuple[int, ...]],
    output: tuple[int, ...],
    kind: LayerKind,
    macs: int,
) -> None:
    tensors = tuple(Tensor(shape, 1) for shape in inputs)
    node = Node(name, "", tensors, (Tensor(output, 1),))
    assert count_macs([node, node]) == [MacCount(kind, True, 2, 2 * macs)]


def test_what_multiplies_nothing_is_not_counted() -> None:
    tensor = Tensor((1, 8), 4)
    assert count_macs([Node("ADD", "", (tensor, tensor), (tensor,))]) == []


def test_tflite_graph_of_mediapipe(tmp_path: Path) -> None:
    path = tmp_path / "detector.tflite"
    path.write_bytes(FaceNetworks.from_task(shipped_landmarks()).detector)
    # 30 to 32 MMACs; its first convolution alone is 64 x 64 x 24 x 75 = 7.4 M.
    assert 30e6 < total(path, ModelFormat.TFLITE) < 32e6
