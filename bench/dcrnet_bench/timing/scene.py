"""The frames on which the stages are timed: several, so that no cache knows the next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.video.images import IMAGE_SUFFIXES, letterboxed, read_image

FRAME_PX = (640, 480)
"""Width and height: what a small camera delivers."""

MAX_FRAMES = 64
"""Of a folder; each takes a megabyte."""

_SEED = 0
_GRAIN_PX = 9
_SCALES = (1.0, 0.95, 0.9, 0.85)
_VIEWS = tuple((scale, mirror) for mirror in (False, True) for scale in _SCALES)[1:]
"""Of one picture: how large, and whether mirrored."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A frame to find a face in.

    Attributes:
        rgb: (480, 640, 3) uint8.
        name: what it shows.
        stand_in: a face for the later stages where the frame shows none; else None.
        is_derived: whether it is a picture scaled or mirrored, and left out where no face is found
            in it.
    """

    rgb: NDArray[np.uint8]
    name: str
    stand_in: Face | None = None
    is_derived: bool = False


def open_scenes(source: Path | None) -> list[Scene]:
    """The images of a folder, or views of one picture, larger and smaller and mirrored.

    Args:
        source: an image, or a folder of up to 64 that are taken; None for the demo extra's
            portrait, or where that is missing for noise with a stand-in face.

    Raises:
        DcrnetError: an image cannot be read; the folder holds none.
    """
    if source is None:
        return _default_scenes()
    if not source.is_dir():
        return _views(read_image(source), source.name)
    paths = sorted(p for p in source.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise DcrnetError(f"`source` {source} holds no image: name a folder of faces, or an image")
    frames = ((letterboxed(read_image(path), *FRAME_PX), path.name) for path in paths[:MAX_FRAMES])
    return [Scene(rgb, name) for rgb, name in frames]


def _default_scenes() -> list[Scene]:
    try:
        from skimage.data import astronaut
    except ImportError:
        return [_synthetic()]
    return _views(astronaut(), "demo portrait")


def _views(rgb: NDArray[np.uint8], name: str) -> list[Scene]:
    frame = letterboxed(rgb, *FRAME_PX)
    derived = [Scene(_view(frame, *view), name, is_derived=True) for view in _VIEWS]
    return [Scene(frame, name), *derived]


def _view(frame: NDArray[np.uint8], scale: float, is_mirrored: bool) -> NDArray[np.uint8]:
    width, height = FRAME_PX
    turned = frame[:, ::-1] if is_mirrored else frame
    if scale == 1.0:
        return np.ascontiguousarray(turned)
    size = (round(width * scale), round(height * scale))
    small = cv2.resize(np.ascontiguousarray(turned), size, interpolation=cv2.INTER_AREA)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    sides = (top, height - size[1] - top, left, width - size[0] - left)
    framed: NDArray[np.uint8] = cv2.copyMakeBorder(small, *sides, cv2.BORDER_REPLICATE)
    return framed


def _synthetic() -> Scene:
    width, height = FRAME_PX
    noise = np.random.default_rng(_SEED).integers(0, 256, (height, width, 3), np.uint8)
    blurred = cv2.GaussianBlur(noise, (_GRAIN_PX, _GRAIN_PX), 0).astype(np.uint8)
    face = Face(Box(width / 2 - 100, height / 2 - 100, 200, 200))
    return Scene(blurred, "synthetic noise, no face in it", face)
