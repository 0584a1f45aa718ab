"""What leaves the runtime: JSON Lines, and pictures with the answers drawn in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box
from dcrnet_runtime.outfile import written_beside
from dcrnet_runtime.recognizer import Recognition

_GREEN = (60, 220, 60)


def draw(rgb: NDArray[np.uint8], recognitions: Sequence[Recognition]) -> NDArray[np.uint8]:
    """A copy of the (H, W, 3) RGB frame with a box and a label on each face."""
    canvas = rgb.copy()
    for r in recognitions:
        draw_face(canvas, r.face.box, f"{r.label} {r.probability:.0%}")
    return canvas


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


def write_image(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write (H, W, 3) RGB in the format that the path's ending names.

    Raises:
        DcrnetError: the file cannot be written, or the ending names no image format.
    """
    with written_beside(path) as beside:
        try:
            is_written = cv2.imwrite(str(beside), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        except cv2.error as error:
            raise DcrnetError(f"{path} names no image format: end it in .jpg or .png") from error
        if not is_written:
            raise DcrnetError(f"{path} could not be written: name a writable place with room")


def fitted(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The (H, W, 3) picture as large as fits into (height, width, 3), on black."""
    if rgb.shape[:2] == (height, width):
        return rgb
    scale = min(width / rgb.shape[1], height / rgb.shape[0])
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(
        rgb, size, interpolation=cv2.INTER_AREA
    )
    return canvas
