"""The frame on which the stages are timed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.video.images import read_image

FRAME_PX = (640, 480)
"""Width and height: what a small camera delivers."""

_SEED = 0
_GRAIN_PX = 9


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A frame to find a face in.

    Attributes:
        rgb: (480, 640, 3) uint8.
        name: what it shows.
        stand_in: a face for the later stages where the frame shows none; else None.
    """

    rgb: NDArray[np.uint8]
    name: str
    stand_in: Face | None = None


def open_scene(source: Path | None) -> Scene:
    """The image ``source``, else the demo extra's portrait, else noise with a stand-in face.

    Raises:
        DcrnetError: the image cannot be read.
    """
    if source is not None:
        return Scene(_letterbox(read_image(source)), source.name)
    try:
        from skimage.data import astronaut
    except ImportError:
        return _synthetic()
    return Scene(_letterbox(astronaut()), "demo portrait")


def _synthetic() -> Scene:
    width, height = FRAME_PX
    noise = np.random.default_rng(_SEED).integers(0, 256, (height, width, 3), np.uint8)
    blurred = cv2.GaussianBlur(noise, (_GRAIN_PX, _GRAIN_PX), 0).astype(np.uint8)
    face = Face(Box(width / 2 - 100, height / 2 - 100, 200, 200))
    return Scene(blurred, "synthetic noise, no face in it", face)


def _letterbox(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The whole image, scaled into the middle of a black frame."""
    width, height = FRAME_PX
    zoom = min(width / rgb.shape[1], height / rgb.shape[0])
    size = max(1, round(rgb.shape[1] * zoom)), max(1, round(rgb.shape[0] * zoom))
    kernel = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    frame = np.zeros((height, width, 3), np.uint8)
    frame[top : top + size[1], left : left + size[0]] = cv2.resize(rgb, size, interpolation=kernel)
    return frame
