"""The rewrite's steps, each exact in real arithmetic; the arrays are float64."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from dcrnet_export.ir.graph import Affine, Array, Clamp, Conv


def to_array(tensor: Tensor) -> Array:
    """A parameter as float64."""
    return tensor.detach().cpu().numpy().astype(np.float64)


def affine_of(norm: nn.BatchNorm2d) -> Affine:
    """Batch normalisation with fixed statistics as ``a x + b``.

    ``gamma (x - mean) / sqrt(var + eps) + beta``, so ``a = gamma / sqrt(var + eps)`` and
    ``b = beta - a mean``.
    """
    mean, variance = to_array(norm.running_mean), to_array(norm.running_var)  # type: ignore[arg-type]
    scale = to_array(norm.weight) / np.sqrt(variance + norm.eps)
    return Affine(scale, to_array(norm.bias) - scale * mean)


def conv_of(module: nn.Conv2d | nn.Linear) -> Conv:
    """A torch layer as it stands; a dense layer becomes a 1x1 convolution."""
    weight = to_array(module.weight)
    bias = np.zeros(len(weight)) if module.bias is None else to_array(module.bias)
    if isinstance(module, nn.Linear):
        return Conv(weight[:, :, None, None], bias)
    return Conv(weight, bias, int(module.stride[0]), int(module.padding[0]))


def fold_behind(conv: Conv, affine: Affine) -> Conv:
    """``a (W x + w) + b = (a W) x + (a w + b)``, rows of W scaled; padding plays no part."""
    return Conv(
        affine.scale[:, None, None, None] * conv.weight,
        affine.scale * conv.bias + affine.shift,
        conv.stride,
        conv.padding,
        conv.relu,
    )


def fold_before(affine: Affine, conv: Conv) -> Conv:
    """``W (a x + b) + w = (W a) x + (w + W b)``, columns of W scaled.

    Raises:
        ValueError: the convolution is padded, and ``b`` is not 0: the padding is 0 in the
            convolution's own coordinates, not in x.
    """
    if conv.padding and affine.shift.any():
        raise ValueError("a shift cannot be folded into a padded convolution")
    shift = np.einsum("oikl,i->o", conv.weight, affine.shift)
    weight = conv.weight * affine.scale[None, :, None, None]
    return Conv(weight, conv.bias + shift, conv.stride, conv.padding, conv.relu)


def fold_input_scale(conv: Conv, scale: float) -> Conv:
    """``W ((x - 128) / s) = (W / s) (x - 128)``: code 128 stays the zero of the padding."""
    return Conv(conv.weight / scale, conv.bias, conv.stride, conv.padding, conv.relu)


@dataclass(frozen=True, slots=True, eq=False)
class ClampedNorm:
    """BN + ReLU as an affine map of a clamp: see :func:`clamp_norm`."""

    clamp: Clamp
    affine: Affine


def clamp_norm(norm: Affine) -> ClampedNorm:
    """BN + ReLU as a clamp and an affine map that the reader absorbs.

    With ``t = -b / a``: for a > 0, ``relu(a x + b) = a max(x, t) + b``; for a < 0,
    ``relu(a x + b) = a min(x, t) + b``; for a = 0 it is the constant ``max(b, 0)``. Where ``t``
    is beyond any float, the channel is constant (always off: 0) or never clamped (always on).
    """
    scale, shift = norm.scale.copy(), norm.shift.copy()
    low, high = np.full_like(scale, -np.inf), np.full_like(scale, np.inf)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        threshold = -shift / scale
    constant = (scale == 0) | (np.abs(threshold) > _LARGEST) & (shift < 0)
    scale[constant], shift[constant] = 0.0, np.maximum(shift[constant], 0.0)
    clamped = ~constant & (np.abs(threshold) <= _LARGEST)
    rising, falling = clamped & (scale > 0), clamped & (scale < 0)
    low[rising], high[falling] = threshold[rising], threshold[falling]
    return ClampedNorm(Clamp(low, high), Affine(scale, shift))


_LARGEST = 1e30
