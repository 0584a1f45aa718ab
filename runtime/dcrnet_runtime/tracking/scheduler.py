"""When the face detector runs: seldom, where landmarks can be followed from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.detectors.detector import Detector, LandmarkTracker
from dcrnet_runtime.face import Box, Face

# Intersection over union from which two faces are one: higher than a detector's own (LiteRT's is
# 0.3), since here a face that is being followed would be lost.
ONE_FACE_IOU = 0.5
_LARGEST = 4.0  # times the frame's longer side


class DetectionScheduler:
    """Finds a frame's faces at the least cost.

    With a detector that can follow, the landmark network alone looks where the faces were, as
    MediaPipe does; the detector runs when no face is known, when one was lost, and from time
    to time for new ones. Any other detector sees each frame whole.

    Args:
        detector: who finds faces.
        redetect_s: time between two looks for new faces.
    """

    def __init__(self, detector: Detector, redetect_s: float) -> None:
        self._detector = detector
        self._landmark_tracker = detector if isinstance(detector, LandmarkTracker) else None
        self._redetect_s = redetect_s
        self._detected_s = -math.inf

    def find(
        self,
        rgb: NDArray[np.uint8],
        seen: Sequence[Face],
        *,
        is_one_hidden: bool,
        time_s: float,
    ) -> list[Face]:
        """The faces of an (H, W, 3) uint8 RGB frame, largest first.

        Args:
            rgb: the frame.
            seen: the faces of the frame before.
            is_one_hidden: whether a face that was seen lately is missing.
            time_s: of the frame.
        """
        if self._landmark_tracker is None:
            return _sorted(_distinct(_sane(self._detector.find(rgb), rgb)))
        followed = [self._landmark_tracker.follow(rgb, face) for face in seen]
        faces = _distinct(_sane([face for face in followed if face is not None], rgb))
        is_due = (
            len(faces) < max(len(seen), 1)
            or is_one_hidden
            or time_s - self._detected_s >= self._redetect_s
        )
        if is_due and len(faces) < self._landmark_tracker.max_faces:
            self._detected_s = time_s
            faces = _distinct(faces + _sane(self._landmark_tracker.find(rgb, faces), rgb))
        return _sorted(faces)


def _sane(faces: Sequence[Face], rgb: NDArray[np.uint8]) -> list[Face]:
    """Without boxes that no face of this frame can have."""
    height, width = rgb.shape[:2]
    return [face for face in faces if _is_sane(face.box, width, height)]


def _is_sane(box: Box, width: int, height: int) -> bool:
    if not all(map(math.isfinite, (box.x, box.y, box.width, box.height))):
        return False
    is_sized = min(box.width, box.height) > 0 and box.side <= _LARGEST * max(width, height)
    is_inside = -box.width < box.x < width and -box.height < box.y < height
    return is_sized and is_inside


def _distinct(faces: Sequence[Face]) -> list[Face]:
    """Without a second mesh on one face: the one that is more of a face stays."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(face.box.overlap(other.box) < ONE_FACE_IOU for other in kept):
            kept.append(face)
    return kept


def _sorted(faces: Sequence[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: -face.box.width * face.box.height)
