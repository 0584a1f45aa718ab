"""OpenCV's frontal-face cascade: finds a face on a bare install, without landmarks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.detectors.limit import FaceLimit
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.installation import package_command

_FILE = "haarcascade_frontalface_default.xml"
_LONGEST_PX = 640
_SMALLEST = 0.06  # of the frame's longer side


class CascadeDetector:
    """Viola and Jones' detector (CVPR 2001) as OpenCV's wheel ships it.

    Args:
        max_faces: at most so many faces a frame, largest first.
        min_face_px: faces whose side is shorter are left out.
    """

    name = "OpenCV cascade (box only)"
    landmarks_sha256 = ""

    def __init__(self, *, max_faces: int = 10, min_face_px: float = 0.0) -> None:
        path = Path(cv2.__file__).parent / "data" / _FILE
        if not (hasattr(cv2, "CascadeClassifier") and path.is_file()):
            raise DcrnetError(
                f"OpenCV {cv2.__version__} has no face cascade:"
                f" {package_command('opencv-python-headless<5')}, or take the detector litert"
            )
        self._cascade = cv2.CascadeClassifier(str(path))
        self._limit = FaceLimit(max_faces)
        self._min_face_px = min_face_px

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        """The faces of an (H, W, 3) uint8 RGB frame, largest first."""
        luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        zoom = min(1.0, _LONGEST_PX / max(luma.shape))
        smallest = max(24, round(_SMALLEST * zoom * max(luma.shape)))
        if zoom * min(luma.shape) < smallest:
            return []
        if zoom < 1.0:
            luma = cv2.resize(luma, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
        found = self._cascade.detectMultiScale(
            cv2.equalizeHist(luma), scaleFactor=1.1, minNeighbors=5, minSize=(smallest, smallest)
        )
        boxes = [Box(*(float(value) / zoom for value in box)) for box in found]
        boxes = sorted((b for b in boxes if b.side >= self._min_face_px), key=lambda b: -b.side)
        return self._limit.kept([Face(box) for box in boxes])
