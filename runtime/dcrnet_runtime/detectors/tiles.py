"""Where a detector that sees a square of few pixels looks in a frame."""

from __future__ import annotations

import math
from itertools import product

from dcrnet_runtime.face import Box

TILE_SHARE = 0.5
"""A tile's side, of the frame's longer one."""

_STEP = 0.5  # between two tiles at most, of a tile's side


def frame_square(width: int, height: int) -> Box:
    """The square around a frame, as wide as its longer side."""
    side = max(width, height)
    return Box((width - side) / 2, (height - side) / 2, side, side)


def tiles(width: int, height: int) -> list[Box]:
    """Overlapping squares of half a frame's longer side.

    What is at most half as large as a tile lies whole in one of them.
    """
    tile = max(width, height) * TILE_SHARE
    starts = product(_starts(height, tile), _starts(width, tile))
    return [Box(x, y, tile, tile) for y, x in starts]


def _starts(length: int, tile: float) -> list[float]:
    """Where tiles begin along a side; a side shorter than a tile has one, centred."""
    if length <= tile:
        return [(length - tile) / 2]
    gaps = math.ceil((length - tile) / (tile * _STEP))
    return [(length - tile) * i / gaps for i in range(gaps + 1)]
