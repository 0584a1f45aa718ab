"""The checkpoint in torch: on the CPU, with a stand-in for the few functions of torch.cuda."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from generated import LABELS

torch = pytest.importorskip("torch", reason="needs the train extra")

from dcrnet_bench.reference.checkpoint import open_checkpoint  # noqa: E402
from dcrnet_bench.timing.gpu.execution import Execution, GpuPrecision, GpuRow  # noqa: E402
from dcrnet_bench.timing.gpu.session import GpuNetwork  # noqa: E402

SIDE = 64
CROPS = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), np.uint8)


class FakeStream:
    def __init__(self, calls: list[str]) -> None:
        self.calls = calls

    def wait_stream(self, other: FakeStream) -> None:
        self.calls.append("wait")


class FakeGraph:
    def __init__(self, calls: list[str]) -> None:
        self.calls = calls

    def replay(self) -> None:
        self.calls.append("replay")


class FakeCuda:
    """What is used of ``torch.cuda``; says in which order."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def Stream(self) -> FakeStream:  # noqa: N802
        return FakeStream(self.calls)

    def current_stream(self) -> FakeStream:
        return FakeStream(self.calls)

    @contextmanager
    def stream(self, stream: FakeStream) -> Iterator[None]:
        self.calls.append("on a side stream")
        yield
        self.calls.append("back")

    def CUDAGraph(self) -> FakeGraph:  # noqa: N802
        return FakeGraph(self.calls)

    @contextmanager
    def graph(self, graph: FakeGraph) -> Iterator[None]:
        self.calls.append("record")
        yield
        self.calls.append("recorded")

    def synchronize(self) -> None:
        self.calls.append("synchronize")

    def empty_cache(self) -> None:
        self.calls.append("emptied")


@pytest.fixture
def cuda() -> FakeCuda:
    return FakeCuda()


@pytest.fixture
def network(tmp_path: Path, cuda: FakeCuda) -> GpuNetwork:
    from dcrnet_edge.models.checkpoint import Checkpoint, save_checkpoint
    from dcrnet_edge.models.registry import create_model
    from dcrnet_runtime.backends.card import ModelCard
    from dcrnet_runtime.preprocess.spec import PreprocessSpec

    torch.manual_seed(0)
    whole = create_model("tf_efficientnet_lite0", labels=LABELS)
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(path, Checkpoint(whole, ModelCard(LABELS, PreprocessSpec(size_px=SIDE))))
    return open_checkpoint(path, "cpu", cuda).network


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Torch's settings are the process's."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark
    yield
    matmul.allow_tf32, cudnn.allow_tf32, cudnn.benchmark = before


def row(execution: Execution, precision: GpuPrecision, batch: int = 2) -> GpuRow:
    return GpuRow("torch", execution, precision, batch)


def test_eager_answers_are_the_networks_of_what_was_filled_in(
    network: GpuNetwork, cuda: FakeCuda
) -> None:
    session = network.open(row(Execution.EAGER, GpuPrecision.FP32))
    expected = network.reference(CROPS)
    assert np.allclose(expected.sum(axis=1), 1, atol=1e-5)
    for part in (slice(0, 2), slice(2, 4)):
        cuda.calls.clear()
        session.fill(CROPS[part])
        session.run()
        np.testing.assert_allclose(session.answers(), expected[part], atol=1e-5)
        assert cuda.calls == ["synchronize", "synchronize"]


def test_fp16_is_near_and_not_the_same(network: GpuNetwork) -> None:
    session = network.open(row(Execution.EAGER, GpuPrecision.FP16))
    session.fill(CROPS[:2])
    session.run()
    off = np.abs(session.answers() - network.reference(CROPS[:2])).max()
    assert 0 < off < 0.02
    assert session.answers().dtype == np.float32


def test_a_graph_is_recorded_after_runs_on_a_side_stream_and_then_replayed(
    network: GpuNetwork, cuda: FakeCuda
) -> None:
    session = network.open(row(Execution.GRAPH, GpuPrecision.FP32))
    assert cuda.calls == ["wait", "on a side stream", "back", "wait", "record", "recorded"]
    cuda.calls.clear()
    session.run()
    assert cuda.calls == ["replay", "synchronize"]
    session.close()
    assert cuda.calls[-1] == "emptied"


@pytest.mark.parametrize(
    ("precision", "is_allowed"), [(GpuPrecision.FP32, False), (GpuPrecision.TF32, True)]
)
def test_tf32_is_on_only_where_it_is_named(
    network: GpuNetwork, precision: GpuPrecision, is_allowed: bool
) -> None:
    network.open(row(Execution.EAGER, precision))
    assert torch.backends.cudnn.allow_tf32 is is_allowed
    assert torch.backends.cuda.matmul.allow_tf32 is is_allowed


def test_rows_are_all_precisions_of_each_batch(network: GpuNetwork) -> None:
    groups: list[Any] = network.rows((1, 8, 32, 128))
    assert len(groups) == 4 * 3
    assert groups[-1][1].name == "torch, cuda graph, fp16, batch 128"
