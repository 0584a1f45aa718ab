"""Per-channel coordinates change the numbers inside a dense block, not its function."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from export.fixtures import MakeFaces

from dcrnet_edge.models.activation_ranges import activation_ranges
from dcrnet_edge.models.checkpoint import Checkpoint
from dcrnet_export.ir.graph import Clamp, Concat, Conv, Graph, Input, Node
from dcrnet_export.ir.lowering import lower
from dcrnet_export.ir.reference import run_reference
from dcrnet_export.passes.channel_equalization import LEVELS, equalize_channels
from dcrnet_runtime.backends.model import OUTPUT_NAME

FREE = np.inf


@pytest.fixture(scope="module")
def graph(checkpoint: Checkpoint) -> Graph:
    return lower(checkpoint.network, 64, checkpoint.ranges[64])


def test_whole_network_is_the_same_function(graph: Graph, make_faces: MakeFaces) -> None:
    equal = equalize_channels(graph, snap=False)
    for face in make_faces(32, seed=2)[:3]:
        want, got = (run_reference(each, face)[OUTPUT_NAME] for each in (graph, equal))
        np.testing.assert_allclose(got, want, atol=1e-4)


@pytest.mark.parametrize("side", [128, 224])
def test_whole_network_is_the_same_function_at_other_sizes(
    checkpoint: Checkpoint, make_faces: MakeFaces, side: int
) -> None:
    """Within the ranges, which are the face's own here."""
    face = make_faces(1, side)
    codes = torch.from_numpy(face).permute(0, 3, 1, 2)
    ranges = activation_ranges(checkpoint.network, [codes])
    graph = lower(checkpoint.network, side, ranges)
    equal = equalize_channels(graph, snap=False)
    want, got = (run_reference(each, face[0])[OUTPUT_NAME] for each in (graph, equal))
    np.testing.assert_allclose(got, want, atol=1e-4)


def test_dense_blocks_have_one_range(graph: Graph) -> None:
    equal = equalize_channels(graph)
    joined = [node.name for node in graph.nodes if node.name.endswith(".concat")]
    assert len(joined) == 6 + 12 + 24 + 16
    for name in joined:
        assert (equal.ranges[name][0] == 0).all()
        assert (equal.ranges[name][1] == LEVELS).all()


def tiny_graph(clamp: Clamp, low: float, high: float) -> Graph:
    """Two features, the second with range low..high, read through ``clamp``."""
    identity = np.eye(3)[:1, :, None, None]
    feature = Conv(identity, np.zeros(1))
    reader = Conv(np.array([[2.0, -3.0]])[:, :, None, None], np.array([0.5]))
    limits = np.array([[low], [high]])
    codes = np.array([[-128.0] * 3, [127.0] * 3])
    nodes = (
        Node("rgb", Input(2)),
        Node("first", feature, ("rgb",)),
        Node("second", feature, ("rgb",)),
        Node("joined", Concat(), ("first", "second")),
        Node("clamped", clamp, ("joined",)),
        Node("read", reader, ("clamped",)),
    )
    first = np.array([[-128.0], [127.0]])
    ranges = {"rgb": codes, "first": first, "second": limits}
    ranges["joined"] = np.concatenate([first, limits], axis=1)
    ranges["clamped"] = np.clip(ranges["joined"], clamp.low, clamp.high)
    return Graph(nodes, ranges)


@pytest.mark.parametrize("snap", [False, True])
@pytest.mark.parametrize(
    "limits",
    [
        pytest.param((-FREE, FREE), id="never clamped"),
        pytest.param((3.3, FREE), id="rising"),
        pytest.param((-FREE, 3.3), id="falling"),
        pytest.param((-200.0, FREE), id="always on"),
        pytest.param((200.0, FREE), id="always off"),
        pytest.param((-FREE, 200.0), id="always on, negative"),
        pytest.param((-FREE, -200.0), id="always off, negative"),
    ],
)
@pytest.mark.parametrize("value_range", [(-20.0, 20.0), (5.0, 5.0)], ids=["live", "dead"])
def test_every_kind_of_clamp(
    limits: tuple[float, float], value_range: tuple[float, float], snap: bool
) -> None:
    clamp = Clamp(np.array([-FREE, limits[0]]), np.array([FREE, limits[1]]))
    low, high = value_range
    graph = tiny_graph(clamp, low, high)
    equal = equalize_channels(graph, snap=snap)
    step = 3.0 * (high - low) / LEVELS  # the reader's weight on the second feature
    for code in range(round(128 + low), round(128 + high) + 1, 5):
        face = np.full((2, 2, 3), code, np.uint8)
        want, got = (run_reference(each, face)["read"] for each in (graph, equal))
        np.testing.assert_allclose(got, want, atol=1e-9 + snap * 0.51 * step)


def test_snapped_clamp_keeps_what_is_off_exactly_off() -> None:
    graph = tiny_graph(Clamp(np.array([-FREE, 3.3]), np.array([FREE, FREE])), -20.0, 20.0)
    wide = Clamp(np.array([-FREE, -15.0]), np.array([FREE, FREE]))
    nodes = (*graph.nodes, Node("other", wide, ("joined",)))
    ranges = {**graph.ranges, "other": graph.ranges["joined"]}
    equal = equalize_channels(Graph(nodes, ranges))
    clamp = equal.by_name()["clamped"].op
    assert isinstance(clamp, Clamp)
    assert clamp.low[1] == round(clamp.low[1])
    face = np.full((2, 2, 3), 128 - 10, np.uint8)
    want, got = (run_reference(each, face)["read"] for each in (graph, equal))
    np.testing.assert_allclose(got, want, atol=1e-9)
