"""Float16 files, and what brings a network within float16."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from export.fixtures import Faces, Probabilities
from export.interpreters import onnx_session, run_onnx
from onnx import TensorProto

from dcrnet_edge.models.checkpoint import Checkpoint
from dcrnet_export.emitters.onnx_float import onnx_fp16
from dcrnet_export.ir.graph import AvgPool, Clamp, Conv, Graph, Input, Node
from dcrnet_export.ir.lowering import lower
from dcrnet_export.ir.reference import run_reference
from dcrnet_export.passes.bias_correction import correct_biases
from dcrnet_export.passes.fp16 import FP16_LARGEST, fit_to_fp16, is_sound_in_fp16, round_to_fp16
from dcrnet_runtime.backends.model import INPUT_NAME

FREE = np.inf


def clamped(low: float, high: float, weight: float) -> Graph:
    """Three channels in -128..127 through one clamp each, a pool and a convolution."""
    clamp = Clamp(np.array([low, -FREE, 3.0]), np.array([high, FREE, FREE]))
    kernel = np.array([[weight, 0.5, -0.3]])[:, :, None, None]
    codes = np.array([[-128.0] * 3, [127.0] * 3])
    nodes = (
        Node(INPUT_NAME, Input(4)),
        Node("clamped", clamp, (INPUT_NAME,)),
        Node("pooled", AvgPool(), ("clamped",)),
        Node("read", Conv(kernel, np.array([0.25])), ("pooled",)),
    )
    return Graph(nodes, {INPUT_NAME: codes})


@pytest.mark.parametrize(
    ("low", "high"),
    [(1e9, FREE), (-1e9, FREE), (-FREE, -1e9), (-FREE, 1e9)],
    ids=["always off", "always on", "always off, negative", "always on, negative"],
)
def test_limits_beyond_float16_become_constants_or_vanish(low: float, high: float) -> None:
    graph = clamped(low, high, 1e-9)
    fitted = fit_to_fp16(graph)
    clamp = fitted.by_name()["clamped"].op
    assert isinstance(clamp, Clamp)
    assert abs(clamp.low[0]) == FREE
    assert abs(clamp.high[0]) == FREE
    assert clamp.low[2] == 3.0
    face = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8)
    want, got = (run_reference(each, face)["read"] for each in (graph, fitted))
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_what_is_cut_off_stays_off_behind_rounded_kernels() -> None:
    """1000 / 3 in float16 is off by 0.08; the bias takes it back where the channel is off."""
    graph = clamped(100.0, FREE, 1000.0 / 3.0)
    off = np.full((4, 4, 3), 128 + 50, np.uint8)
    rounded = correct_biases(graph, round_to_fp16)
    conv, rounded_conv = (each.by_name()["read"].op for each in (graph, rounded))
    assert isinstance(conv, Conv)
    assert isinstance(rounded_conv, Conv)
    kernel = rounded_conv.weight
    assert (kernel == round_to_fp16(kernel)).all()
    want, got = (run_reference(each, off)["read"] for each in (graph, rounded))
    plain = replace(conv, weight=kernel)
    nodes = tuple(replace(n, op=plain) if n.name == "read" else n for n in graph.nodes)
    naive = run_reference(Graph(nodes), off)["read"]
    assert np.abs(naive - want).max() > 5.0
    assert np.abs(got - want).max() < 0.02  # of the channels that are on


def test_kernels_that_float16_cannot_hold_stay_float32() -> None:
    kernel = np.full((1, 1, 1, 1), 2 * FP16_LARGEST)
    assert not is_sound_in_fp16(Node("conv", Conv(kernel, np.zeros(1)), ("x",)))
    assert is_sound_in_fp16(Node("conv", Conv(kernel / 2, np.zeros(1)), ("x",)))


def test_fp16_onnx_holds_float16_between_uint8_and_float32(
    checkpoint: Checkpoint, faces: Faces, expected: Probabilities
) -> None:
    model = onnx_fp16(lower(checkpoint.network, 64, checkpoint.ranges[64]))
    kernels = [tensor for tensor in model.graph.initializer if len(tensor.dims) == 4]
    assert len(kernels) > 200
    assert {tensor.data_type for tensor in kernels} == {TensorProto.FLOAT16}
    assert model.ByteSize() < 24e6
    session = onnx_session(model)
    assert session.get_inputs()[0].type == "tensor(uint8)"
    assert session.get_outputs()[0].type == "tensor(float)"
    got = run_onnx(model, faces)
    # This network magnifies the last bit of a float16; test_cli holds a calm one to the budget.
    assert np.abs(got - expected).mean() < 0.03
