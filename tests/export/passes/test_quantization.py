"""Codes and integer weights."""

from __future__ import annotations

import numpy as np
import pytest
from export.fixtures import Faces

from dcrnet_edge.models.checkpoint import Checkpoint
from dcrnet_export.ir.graph import Add, Affine, Clamp, Concat, Conv, Graph, Node
from dcrnet_export.ir.lowering import lower
from dcrnet_export.passes.channel_equalization import equalize_channels
from dcrnet_export.passes.integer_reference import IntegerExecutor
from dcrnet_export.passes.quantization import (
    Coding,
    WeightLimit,
    coding_of,
    quantize,
    round_weights,
)


@pytest.mark.parametrize("limits", [(-3.0, 7.0), (2.0, 9.0), (-9.0, -2.0), (0.0, 0.0)])
def test_zero_has_its_own_code(limits: tuple[float, float]) -> None:
    coding = coding_of(np.array([[limits[0]], [limits[1]]]))
    assert coding.decode(coding.encode(np.zeros(1)))[0] == 0.0
    assert 0 <= coding.zero_point <= 255


def test_values_are_off_by_half_a_step_at_most() -> None:
    coding = coding_of(np.array([[-3.0], [7.0]]))
    x = np.linspace(-3.0, 7.0, 1001)
    assert np.abs(coding.decode(coding.encode(x)) - x).max() <= 0.51 * coding.scale


def test_reduced_weights_cannot_saturate_a_pair_of_16_bit_products() -> None:
    assert np.iinfo(np.int16).max >= 2 * 255 * WeightLimit.REDUCED


@pytest.mark.parametrize("limit", list(WeightLimit))
def test_each_row_uses_the_whole_range(limit: WeightLimit) -> None:
    weight = (
        np.random.default_rng(0).normal(size=(8, 5, 3, 3))
        * np.logspace(-6, 3, 8)[:, None, None, None]
    )
    weights = round_weights(weight, np.zeros(8), Coding(0.1, 0), limit)
    assert (np.abs(weights.codes.astype(int)).max(axis=(1, 2, 3)) == limit).all()
    error = np.abs(weights.codes * weights.scale[:, None, None, None].astype(float) - weight)
    assert (error.max(axis=(1, 2, 3)) <= 0.51 * weights.scale).all()


def test_row_without_weights_keeps_its_bias() -> None:
    weights = round_weights(
        np.zeros((1, 2, 1, 1)), np.array([123.0]), Coding(1.0, 0), WeightLimit.FULL
    )
    assert weights.bias[0] * float(weights.scale[0]) == pytest.approx(123.0, rel=1e-6)


def test_concatenations_and_clamps_requantize_nothing(checkpoint: Checkpoint) -> None:
    graph = lower(checkpoint.network, 64, checkpoint.ranges[64])
    quantized = quantize(equalize_channels(graph), WeightLimit.FULL)
    for node in quantized.graph.nodes:
        if isinstance(node.op, Clamp | Concat) and quantized.on_codes(node):
            assert {quantized.codings[name] for name in (node.name, *node.inputs)} == {
                Coding(1.0, 0)
            }


def test_every_convolution_of_backbone_and_stages_is_integer(checkpoint: Checkpoint) -> None:
    graph = lower(checkpoint.network, 64, checkpoint.ranges[64])
    quantized = quantize(equalize_channels(graph), WeightLimit.FULL)
    left = [n.name for n in graph.nodes if isinstance(n.op, Conv) and not quantized.on_codes(n)]
    assert all(
        name.startswith("head.") or name.endswith((".hidden", ".mlp.2", ".spatial"))
        for name in left
    )


def test_sums_of_residual_modules_are_float(checkpoint: Checkpoint, faces: Faces) -> None:
    """A skip connection is not rounded to 256 codes on its way from one gate to the next."""
    graph = lower(checkpoint.network, 64, checkpoint.ranges[64])
    quantized = quantize(equalize_channels(graph), WeightLimit.FULL)
    codes, floats = IntegerExecutor(quantized).run(faces[0])
    sums = _sums(quantized.graph)
    assert len(sums) == 6
    for node in sums:
        np.testing.assert_allclose(floats[node.name], sum(floats[name] for name in node.inputs))
        assert (quantized.codings[node.name].decode(codes[node.name]) != floats[node.name]).any()


def test_each_channel_added_to_a_skip_connection_has_codes_of_its_own(
    checkpoint: Checkpoint,
) -> None:
    graph = lower(checkpoint.network, 64, checkpoint.ranges[64])
    quantized = quantize(equalize_channels(graph), WeightLimit.FULL)
    nodes = quantized.graph.by_name()
    for node in _sums(quantized.graph):
        [restored] = [name for name in node.inputs if name.endswith(".restored")]
        branch = nodes[restored].inputs[0]
        assert quantized.codings[branch] == Coding(1.0, 0)
        low, high = graph.ranges[branch]
        affine = nodes[restored].op
        assert isinstance(affine, Affine)
        np.testing.assert_allclose(affine.scale, (high - low) / 255)
        np.testing.assert_allclose(affine.shift, low)


def _sums(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if isinstance(node.op, Add) and node.name in graph.ranges]
