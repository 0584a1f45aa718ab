"""What both real and generated pictures go through before the discriminator sees them.

DiffAugment (Zhao and others, "Differentiable Augmentation for Data-Efficient GAN Training", 2020):
without it a discriminator soon knows a rare label's few pictures by heart. Gradients pass through.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_SHIFT = 1 / 8
_HOLE = 1 / 3


def augmented(pictures: Tensor, source: torch.Generator) -> Tensor:
    """Brightness, contrast, shift and a grey hole, drawn for each picture.

    Args:
        pictures: (N, 1, S, S) in -1..1.
        source: of the draws.

    Returns:
        (N, 1, S, S), which may reach past -1..1.
    """
    return _with_hole(_shifted(_relit(pictures, source), source), source)


def _relit(pictures: Tensor, source: torch.Generator) -> Tensor:
    shape = (len(pictures), 1, 1, 1)
    brightness = torch.rand(shape, generator=source) - 0.5
    contrast = torch.rand(shape, generator=source) + 0.5
    mean = pictures.mean(dim=(1, 2, 3), keepdim=True)
    return (pictures - mean) * contrast + mean + brightness


def _shifted(pictures: Tensor, source: torch.Generator) -> Tensor:
    """By up to an eighth of the side; grey comes in."""
    count, _, side, _ = pictures.shape
    reach = round(side * _SHIFT)
    moves = torch.randint(0, 2 * reach + 1, (2, count, 1), generator=source)
    rows, columns = moves + torch.arange(side)
    padded = functional.pad(pictures[:, 0], (reach,) * 4)
    numbers = torch.arange(count)[:, None, None]
    return padded[numbers, rows[:, :, None], columns[:, None, :]][:, None]


def _with_hole(pictures: Tensor, source: torch.Generator) -> Tensor:
    count, _, side, _ = pictures.shape
    hole = round(side * _HOLE)
    starts = torch.randint(1 - hole, side, (2, count, 1), generator=source)
    places = torch.arange(side)
    rows, columns = (places >= starts) & (places < starts + hole)
    return pictures * ~(rows[:, :, None] & columns[:, None, :])[:, None]
