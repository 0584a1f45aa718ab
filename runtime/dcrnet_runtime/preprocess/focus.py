"""Landmark focus: keep mouth, nose, eyes and eyebrows, suppress the rest (section 2.1.2)."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.preprocess.geometry import Points

# Indices into MediaPipe's 468-point mesh. Each group is kept as its convex hull.
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409)
_NOSE = (168, 6, 197, 195, 5, 4, 1, 2, 98, 97, 326, 327, 64, 294, 48, 278, 129, 358)
RIGHT_EYE_OUTLINE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173)
RIGHT_BROW = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55)
LEFT_EYE_OUTLINE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398)
LEFT_BROW = (300, 293, 334, 296, 336, 276, 283, 282, 295, 285)
REGIONS = [
    list(points)
    for points in (LIPS, _NOSE, RIGHT_EYE_OUTLINE + RIGHT_BROW, LEFT_EYE_OUTLINE + LEFT_BROW)
]
_FINE = 16  # sub-pixel steps of cv2.fillConvexPoly: 4 fractional bits


def focus_mask(landmarks: Points, size_px: int, margin: float) -> NDArray[np.uint8]:
    """How much of each crop pixel is kept, 0..255, (size_px, size_px) uint8.

    Args:
        landmarks: (468, 2) in crop px.
        size_px: the crop's side.
        margin: growth of the regions and width of their feathered edge, as a fraction of it.
    """
    mask = np.zeros((size_px, size_px), np.uint8)
    reach = 4.0 * size_px
    points = np.rint(np.clip(landmarks, -reach, reach) * _FINE).astype(np.int32)
    for region in REGIONS:
        cv2.fillConvexPoly(mask, cv2.convexHull(points[region]), 255, cv2.LINE_AA, shift=4)
    radius = round(margin * size_px)
    if radius > 0:
        side = 2 * radius + 1
        mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
        mask = cv2.blur(mask, (side, side), borderType=cv2.BORDER_REPLICATE)
    return mask


def suppress(
    crop: NDArray[np.uint8], mask: NDArray[np.uint8], strength: float, fill: int
) -> NDArray[np.uint8]:
    """Blend what the mask leaves out towards ``fill``; (H, W) or (H, W, 3) uint8 in and out."""
    keep = cv2.LUT(mask, _kept_shares(strength))
    if crop.ndim == 3:
        keep = keep[:, :, None]
    kept = (crop.astype(np.float32) - fill) * keep
    kept += fill
    return np.rint(kept, out=kept).astype(np.uint8)


@cache
def _kept_shares(strength: float) -> NDArray[np.float32]:
    """The share of a pixel that stays, by the mask's code."""
    codes = np.arange(256, dtype=np.float32)
    return 1.0 - strength * (1.0 - codes / 255.0)
