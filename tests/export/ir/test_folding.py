"""Each folding step is exact, whatever the gammas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from dcrnet_export.ir.folding import clamp_norm, compose, fold_before, fold_behind, norm_affine
from dcrnet_export.ir.functions import to_array
from dcrnet_export.ir.graph import Affine, Array, AvgPool, Conv
from dcrnet_export.ir.reference import compute

CHANNELS = 6
GAMMAS = st.one_of(
    st.floats(-3, 3, allow_subnormal=False),
    st.sampled_from([0.0, -0.0, 1e-300, -1e-300, 1e-12, -1e-12]),
)
VECTORS = arrays(np.float64, CHANNELS, elements=st.floats(-50, 50, allow_subnormal=False))
SCALES = arrays(np.float64, CHANNELS, elements=GAMMAS)


def affine_of(norm: nn.BatchNorm2d) -> Affine:
    """A batch norm as it stands."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    mean, variance = to_array(norm.running_mean), to_array(norm.running_var)
    return norm_affine(mean, variance, to_array(norm.weight), to_array(norm.bias), norm.eps)


def conv_of(module: nn.Conv2d) -> Conv:
    """A convolution as it stands."""
    weight = to_array(module.weight)
    bias = np.zeros(len(weight)) if module.bias is None else to_array(module.bias)
    sides = int(module.padding[0])
    return Conv(weight, bias, module.stride[0], (sides, sides), groups=module.groups)


def random_norm(seed: int) -> nn.BatchNorm2d:
    """Fixed statistics, gammas of both signs and a zero."""
    torch.manual_seed(seed)
    norm = nn.BatchNorm2d(CHANNELS).double().eval()
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        norm.weight.copy_(torch.randn(CHANNELS))
        norm.weight[0] = 0.0
        norm.bias.copy_(torch.randn(CHANNELS))
        norm.running_mean.copy_(torch.randn(CHANNELS))
        norm.running_var.copy_(torch.rand(CHANNELS) + 0.1)
    return norm


@given(scale=SCALES, shift=VECTORS, x=VECTORS)
@settings(max_examples=300, deadline=None)
def test_clamp_and_affine_are_norm_and_relu(scale: Array, shift: Array, x: Array) -> None:
    clamped = clamp_norm(Affine(scale, shift))
    x = x[:, None, None]
    got = compute(clamped.affine, [compute(clamped.clamp, [x])])
    want = compute(Affine(scale, shift, relu=True), [x])
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-11)


def test_norm_without_gamma_is_a_constant_that_nothing_clamps() -> None:
    clamped = clamp_norm(Affine(np.zeros(2), np.array([-1.0, 2.0])))
    assert (clamped.affine.scale == 0).all()
    np.testing.assert_array_equal(clamped.affine.shift, [0.0, 2.0])
    assert np.isinf(clamped.clamp.low).all()
    assert np.isinf(clamped.clamp.high).all()


@pytest.mark.parametrize("seed", range(5))
def test_norm_behind_a_padded_convolution_folds(seed: int) -> None:
    torch.manual_seed(seed)
    conv = nn.Conv2d(4, CHANNELS, 3, stride=2, padding=1).double()
    norm = random_norm(seed)
    x = torch.randn(1, 4, 9, 9, dtype=torch.float64)
    want = norm(conv(x))[0].detach().numpy()
    got = compute(fold_behind(conv_of(conv), affine_of(norm)), [x[0].numpy()])
    np.testing.assert_allclose(got, want, atol=1e-5)  # conv_of rounds nothing; BN's sqrt does


@pytest.mark.parametrize("groups", [1, 2, CHANNELS])
@pytest.mark.parametrize("seed", range(5))
def test_norm_before_an_unpadded_convolution_folds(seed: int, groups: int) -> None:
    torch.manual_seed(seed)
    conv = nn.Conv2d(CHANNELS, 2 * CHANNELS, 3, groups=groups).double()
    norm = random_norm(seed)
    x = torch.randn(1, CHANNELS, 4, 4, dtype=torch.float64)
    want = conv(norm(x))[0].detach().numpy()
    got = compute(fold_before(affine_of(norm), conv_of(conv)), [x[0].numpy()])
    np.testing.assert_allclose(got, want, atol=1e-10)


def test_shift_before_a_padded_convolution_is_refused() -> None:
    conv = conv_of(nn.Conv2d(2, 2, 3, padding=1))
    with pytest.raises(ValueError, match="padded"):
        fold_before(Affine(np.ones(2), np.ones(2)), conv)


@given(first=SCALES, shift=VECTORS, second=SCALES, x=VECTORS)
@settings(max_examples=50, deadline=None)
def test_affine_maps_compose(first: Array, shift: Array, second: Array, x: Array) -> None:
    maps = Affine(first, shift), Affine(second, shift, relu=True)
    x = x[:, None, None]
    want = compute(maps[1], [compute(maps[0], [x])])
    np.testing.assert_allclose(compute(compose(*maps), [x]), want, rtol=1e-12, atol=1e-11)


def test_average_commutes_with_a_pointwise_convolution() -> None:
    torch.manual_seed(0)
    conv = conv_of(nn.Conv2d(CHANNELS, 4, 1).double())
    x = np.random.default_rng(0).normal(size=(CHANNELS, 8, 8))
    pooled_last = compute(AvgPool(), [compute(conv, [x])])
    pooled_first = compute(conv, [compute(AvgPool(), [x])])
    np.testing.assert_allclose(pooled_first, pooled_last, atol=1e-12)


def test_input_scale_folds_up_to_the_border() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 4, 7, stride=2, padding=3, bias=False).double()
    codes = torch.randint(0, 256, (1, 3, 16, 16)).double()
    want = conv((codes - 128) / 64)[0].detach().numpy()
    scale = Affine(np.full(3, 1 / 64), np.zeros(3))
    got = compute(fold_before(scale, conv_of(conv)), [(codes[0] - 128).numpy()])
    np.testing.assert_allclose(got, want, atol=1e-12)
