"""What a model's answer rests on: how much less sure it is when a part of the face is covered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

GRID = 8
"""Places of the cover along a side; it is two of them wide, so that neighbours overlap."""

Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""(N, S, S, 3) uint8 RGB crops to (N, labels) probabilities."""


def occlusion_sensitivity(
    answer: Answer, crop: NDArray[np.uint8], fill: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Occlusion sensitivity (Zeiler and Fergus, ECCV 2014) by the model's answers alone.

    Args:
        answer: the model.
        crop: (S, S, 3) uint8 RGB, prepared.
        fill: the code 0..255 of the cover; the contract's, which means nothing to the network.

    Returns:
        (labels,) float32 probabilities of the crop as it is, and a (:data:`GRID`, :data:`GRID`)
        float32 map: by how much the most probable label's probability falls when the place is
        covered, -1..1.
    """
    side = crop.shape[0]
    edges = np.rint(np.linspace(0, side, GRID + 1)).astype(int)
    reach = side // (2 * GRID)
    shown = np.repeat(crop[None], GRID * GRID + 1, axis=0)
    for place in range(GRID * GRID):
        row, column = divmod(place, GRID)
        top, left = (max(0, edges[i] - reach) for i in (row, column))
        shown[place, top : edges[row + 1] + reach, left : edges[column + 1] + reach] = fill
    probabilities = answer(shown)
    whole = probabilities[-1]
    label = int(whole.argmax())
    falls = whole[label] - probabilities[:-1, label]
    return whole, falls.reshape(GRID, GRID).astype(np.float32)
