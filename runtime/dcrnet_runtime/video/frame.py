"""One picture of a source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DEFAULT_FPS = 25.0
"""Frames a second of a source that states none."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Frame:
    """One picture of a source.

    Attributes:
        rgb: (H, W, 3) uint8 RGB.
        index: from 0; a live source's dropped frames have one as well.
        time_s: position in a video file, else seconds since the first frame.
        name: file name of a photo, else the source's address.
        scale: how many px of the photo itself a side of one in ``rgb`` is; outputs state boxes in
            the photo's.
    """

    rgb: NDArray[np.uint8]
    index: int
    time_s: float
    name: str
    scale: int = 1

    def __repr__(self) -> str:
        height, width = self.rgb.shape[:2]
        return (
            f"Frame({self.name!r}, {width}x{height}, index={self.index}, time_s={self.time_s:.3f})"
        )
