"""Pictures turned by quarters."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_TURNS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


def turned(rgb: NDArray[np.uint8], clockwise_deg: int) -> NDArray[np.uint8]:
    """The (H, W, 3) picture turned clockwise by the nearest number of quarters."""
    turn = _TURNS.get(round(clockwise_deg / 90) * 90 % 360)
    return rgb if turn is None else cv2.rotate(rgb, turn)
