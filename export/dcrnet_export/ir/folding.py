"""The rewrite's steps, each exact in real arithmetic; the arrays are float64."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dcrnet_export.ir.graph import Affine, Array, Clamp, Conv

Number = TypeVar("Number", bound=np.generic)


def norm_affine(mean: Array, variance: Array, gamma: Array, beta: Array, epsilon: float) -> Affine:
    """Batch normalisation with fixed statistics, all (C,), as ``a x + b``.

    ``gamma (x - mean) / sqrt(var + eps) + beta``, so ``a = gamma / sqrt(var + eps)`` and
    ``b = beta - a mean``.
    """
    scale = gamma / np.sqrt(variance + epsilon)
    return Affine(scale, beta - scale * mean)


def compose(first: Affine, second: Affine) -> Affine:
    """``c (a x + b) + d``; ``first`` has no ReLU."""
    return Affine(
        second.scale * first.scale, second.scale * first.shift + second.shift, second.relu
    )


def fold_behind(conv: Conv, affine: Affine) -> Conv:
    """``a (W x + w) + b = (a W) x + (a w + b)``, rows of W scaled; padding plays no part."""
    return replace(
        conv,
        weight=affine.scale[:, None, None, None] * conv.weight,
        bias=affine.scale * conv.bias + affine.shift,
    )


def fold_before(affine: Affine, conv: Conv) -> Conv:
    """``W (a x + b) + w = (W a) x + (w + W b)``, columns of W scaled.

    Raises:
        ValueError: the convolution is padded, and ``b`` is not 0: the padding is 0 in the
            convolution's own terms, not in x.
    """
    if conv.is_padded and affine.shift.any():
        raise ValueError("a shift cannot be folded into a padded convolution")
    weight = conv.weight * kernel_inputs(conv, affine.scale)[:, :, None, None]
    return replace(conv, weight=weight, bias=conv.bias + answer_to(conv, affine.shift))


def kernel_inputs(conv: Conv, values: NDArray[Number]) -> NDArray[Number]:
    """(in,) values of a convolution's inputs where its kernel meets them.

    Returns:
        (out, in / groups), or (1, in) where all outputs read all inputs.
    """
    if conv.groups == 1:
        return values[None]
    rows = values.reshape(conv.groups, -1)
    return np.repeat(rows, len(conv.weight) // conv.groups, axis=0)


def answer_to(conv: Conv, values: Array) -> Array:
    """(out,) sums of an unpadded kernel over inputs that are constant, (in,), without bias."""
    if conv.groups == 1:
        return np.einsum("oikl,i->o", conv.weight, values)
    return np.einsum("oikl,oi->o", conv.weight, kernel_inputs(conv, values))


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
