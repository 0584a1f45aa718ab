"""The intermediate graph is the network."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from export.fixtures import Faces, MakeFaces, MakeNetwork

from dcrnet_edge.models.attention import Attention
from dcrnet_edge.models.checkpoint import Checkpoint
from dcrnet_edge.models.network import FaceNetwork
from dcrnet_export.ir.graph import Array, Graph
from dcrnet_export.ir.lowering import lower
from dcrnet_export.ir.reference import run_reference
from dcrnet_runtime.backends.model import OUTPUT_NAME


def run(graph: Graph, faces: Faces) -> Array:
    return np.stack([run_reference(graph, face)[OUTPUT_NAME].ravel() for face in faces])


def run_in_double(network: FaceNetwork, faces: Faces) -> Array:
    """Torch without float rounding: what is left of a difference is a fault of the rewrite."""
    double = copy.deepcopy(network).double()
    double.normalise = lambda codes: (codes.double() - 128) / network.config.input_scale  # type: ignore[method-assign]
    with torch.inference_mode():
        logits = double(torch.from_numpy(faces).permute(0, 3, 1, 2))
    return torch.softmax(logits, dim=1).numpy()


@pytest.mark.parametrize(("side", "count"), [(64, 2), (128, 2), (224, 1)])
def test_graph_equals_torch(
    checkpoint: Checkpoint, make_faces: MakeFaces, side: int, count: int
) -> None:
    faces = make_faces(count, side)
    got = run(lower(checkpoint.network, side), faces)
    want = run_in_double(checkpoint.network, faces)
    np.testing.assert_allclose(got, want, atol=1e-10)


@pytest.mark.parametrize("attention", [Attention.SE, Attention.NONE])
def test_ablated_graph_equals_torch(
    make_network: MakeNetwork, make_faces: MakeFaces, attention: Attention
) -> None:
    network, faces = make_network(attention), make_faces(2)
    got = run(lower(network, 64), faces)
    np.testing.assert_allclose(got, run_in_double(network, faces), atol=1e-10)


def test_ranges_hold_every_value_of_the_faces_they_came_from(
    checkpoint: Checkpoint, make_faces: MakeFaces
) -> None:
    graph = lower(checkpoint.network, 64, checkpoint.ranges[64])
    values = run_reference(graph, make_faces(32, seed=2)[0])
    for name, (low, high) in graph.ranges.items():
        slack = 1e-4 * max(1.0, np.abs(values[name]).max())
        assert (values[name].min(axis=(1, 2)) >= low - slack).all(), name
        assert (values[name].max(axis=(1, 2)) <= high + slack).all(), name


def test_graph_without_calibration_has_no_ranges(checkpoint: Checkpoint) -> None:
    assert lower(checkpoint.network, 64).ranges == {}


def test_no_batch_norm_is_left_but_norm5(checkpoint: Checkpoint) -> None:
    graph = lower(checkpoint.network, 64)
    assert [node.name for node in graph.nodes if type(node.op).__name__ == "Affine"] == ["norm5"]
