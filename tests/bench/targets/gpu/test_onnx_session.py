"""The program's own path: the same code with the CPU's provider and memory in CUDA's place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from generated import LABELS, TinyModel

from dcrnet_bench.targets.gpu.onnx_session import (
    OnnxSession,
    Place,
    _settings,
    onnx_network,
    onnx_placement,
)
from dcrnet_bench.timing.gpu.execution import Execution, GpuPrecision, GpuRow
from dcrnet_bench.timing.gpu.session import NoSessionError
from dcrnet_runtime.backends.loading import load_model

HERE = Place("CPUExecutionProvider", "cpu")
CROPS = np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), np.uint8)


def row(execution: Execution, precision: GpuPrecision, batch: int = 3) -> GpuRow:
    return GpuRow("onnxruntime", execution, precision, batch)


def test_answers_are_those_of_what_was_filled_in_last(tiny_model: TinyModel) -> None:
    path = tiny_model(batch="N")
    expected = load_model(path).probabilities(CROPS)
    session = OnnxSession(path, row(Execution.EAGER, GpuPrecision.FP32), 64, HERE)
    for part in (slice(0, 3), slice(3, 6), slice(0, 3)):
        session.fill(CROPS[part])
        session.run()
        np.testing.assert_allclose(session.answers(), expected[part], atol=1e-6)
    assert session.answers().shape == (3, len(LABELS))
    session.close()


def test_a_row_is_what_the_provider_is_told() -> None:
    graph = _settings(row(Execution.GRAPH, GpuPrecision.TF32))
    assert (graph["enable_cuda_graph"], graph["use_tf32"]) == ("1", "1")
    eager = _settings(row(Execution.EAGER, GpuPrecision.FP32))
    assert (eager["enable_cuda_graph"], eager["use_tf32"]) == ("0", "0")


def test_a_file_of_floats_is_run_with_and_without_tf32(tiny_model: TinyModel) -> None:
    path = tiny_model(batch="N")
    network = onnx_network("tiny", path, load_model(path), HERE)
    groups = network.rows((1, 32))
    assert [(rows[0].batch, rows[0].precision) for rows in groups] == [
        (1, "fp32"),
        (1, "tf32"),
        (32, "fp32"),
        (32, "tf32"),
    ]
    assert {rows[0].execution for rows in groups} == {Execution.EAGER}
    assert {rows[1].execution for rows in groups} == {Execution.GRAPH}


def test_a_file_of_one_face_is_run_with_one(tiny_model: TinyModel) -> None:
    path = tiny_model()
    network = onnx_network("tiny", path, load_model(path), HERE)
    assert {rows[0].batch for rows in network.rows((1, 8))} == {1}


def test_the_share_of_nodes_is_told(tiny_model: TinyModel) -> None:
    placement = onnx_placement(tiny_model(batch="N"), 64, HERE)
    assert placement.node_shares == {"CPUExecutionProvider": 1.0}


def test_a_provider_that_is_not_there_names_what_to_install(tiny_model: TinyModel) -> None:
    """As where CUDA's libraries are missing: ONNX Runtime warns and takes the CPU."""
    cuda = Place(device="cpu")
    with pytest.raises(NoSessionError, match=r"does not load.*pip install 'onnxruntime-gpu\["):
        OnnxSession(tiny_model(), row(Execution.EAGER, GpuPrecision.FP32, 1), 64, cuda)


def test_what_onnxruntime_refuses_is_told_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(NoSessionError) as caught:
        OnnxSession(path, row(Execution.GRAPH, GpuPrecision.FP32), 64, HERE)
    assert "\n" not in str(caught.value)
    assert str(caught.value)
