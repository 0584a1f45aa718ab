"""A face's box and its line of text in a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.face import Box

_GREEN = (60, 220, 60)


def draw_face(canvas: NDArray[np.uint8], box: Box, text: str) -> None:
    """Draw a box with a line of text above it into an (H, W, 3) RGB picture."""
    unit = max(canvas.shape[:2]) / 640
    edges = box.x, box.y, box.x + box.width, box.y + box.height
    left, top, right, bottom = (int(v) for v in np.nan_to_num(np.clip(edges, -9999, 99999)))
    corner, far = (left, top), (right, bottom)
    cv2.rectangle(canvas, corner, far, _GREEN, max(1, round(2 * unit)))
    at = max(corner[0], 0), max(corner[1] - round(5 * unit), round(16 * unit))
    weight = max(1, round(2 * unit))
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6 * unit, (0, 0, 0), 2 * weight)
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6 * unit, _GREEN, weight)
