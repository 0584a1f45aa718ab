"""Operator times of a graph that ONNX Runtime leaves as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from dcrnet_bench.profiling.operators import operator_times


@pytest.fixture
def two_types(tmp_path: Path) -> Path:
    """A Transpose, two Max and a Cast."""
    shape = [1, 256, 256, 3]
    nodes = [
        helper.make_node("Transpose", ["rgb"], ["a"], perm=[0, 2, 1, 3]),
        helper.make_node("Max", ["a", "rgb"], ["b"]),
        helper.make_node("Max", ["b", "rgb"], ["c"]),
        helper.make_node("Cast", ["c"], ["d"], to=TensorProto.FLOAT),
    ]
    graph = helper.make_graph(
        nodes,
        "typed",
        [helper.make_tensor_value_info("rgb", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("d", TensorProto.FLOAT, shape)],
    )
    path = tmp_path / "typed.onnx"
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def test_every_type_is_counted_and_the_costliest_leads(two_types: Path) -> None:
    crop = np.zeros((1, 256, 256, 3), np.uint8)
    rows = operator_times("typed", two_types, crop, threads=1, runs=3)
    assert {row.operator: row.nodes for row in rows} == {"Transpose": 1, "Max": 2, "Cast": 1}
    times = [row.median_ms for row in rows]
    assert times == sorted(times, reverse=True)
    assert 0 < sum(times) < 1000
    assert {row.model for row in rows} == {"typed"}


def test_the_profile_leaves_no_file(
    two_types: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    operator_times("typed", two_types, np.zeros((1, 256, 256, 3), np.uint8), threads=1, runs=1)
    assert list(empty.iterdir()) == []
