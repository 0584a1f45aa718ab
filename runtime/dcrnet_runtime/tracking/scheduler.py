"""When the face detector runs: seldom, where landmarks can be followed from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.detectors.detector import Detector, LandmarkTracker
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.tracking.mode import TrackMode
from dcrnet_runtime.tracking.template import FaceTemplate

# Intersection over union from which two faces are one: higher than a detector's own (LiteRT's is
# 0.3), since here a face that is being followed would be lost.
ONE_FACE_IOU = 0.5
_FULL_REDETECT_S = 5.0
LARGEST = 4.0  # times the frame's longer side
_LONGEST_MOTION_S = 0.15  # behind a landmark network's look: later, the expression is another one


class DetectionScheduler:
    """Finds a frame's faces at the least cost.

    With a detector that can follow, the landmark network alone looks where the faces were, as
    MediaPipe does; the detector runs when no face is known, when one was lost, and from time
    to time for new ones. Any other detector sees each frame whole.

    Where tracking is fast, the landmark network looks at a face in every second frame, and
    between two looks the face moves as its pixels do. Where these do not tell how, the network
    looks after all.

    Args:
        detector: who finds faces.
        redetect_s: time between two looks for new faces.
        mode: whether the landmark network looks at each frame.
    """

    def __init__(
        self, detector: Detector, redetect_s: float, mode: TrackMode = TrackMode.EXACT
    ) -> None:
        self._detector = detector
        self._landmark_tracker = detector if isinstance(detector, LandmarkTracker) else None
        self._redetect_s = redetect_s
        self._mode = mode
        self._templates: list[FaceTemplate] = []
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
        moved = self._moved(rgb, seen, time_s)
        followed = [moved.get(face) or self._landmark_tracker.follow(rgb, face) for face in seen]
        faces = _distinct(_sane([face for face in followed if face is not None], rgb))
        since_s = time_s - self._detected_s
        if len(faces) >= self._landmark_tracker.max_faces:
            # No room for another one; the detector says when there is another one.
            is_due = since_s >= _FULL_REDETECT_S
        else:
            is_lost = len(faces) < max(len(seen), 1) or is_one_hidden
            is_due = is_lost or since_s >= self._redetect_s
        if is_due:
            self._detected_s = time_s
            faces = _distinct(faces + _sane(self._landmark_tracker.find(rgb, faces), rgb))
        if self._mode is TrackMode.FAST:
            guessed = [*moved.values()]
            looked_at = [face for face in faces if face not in guessed]
            made = [FaceTemplate.of(rgb, face, time_s) for face in looked_at]
            self._templates = [template for template in made if template]
        return _sorted(faces)

    def _moved(
        self, rgb: NDArray[np.uint8], seen: Sequence[Face], time_s: float
    ) -> dict[Face, Face]:
        """Where faces are that the landmark network has just looked at, as far as pixels tell."""
        moved = {}
        for face in seen:
            template = self._template_of(face)
            if template is not None and time_s - template.time_s <= _LONGEST_MOTION_S:
                found = template.find(rgb)
                if found is not None:
                    moved[face] = found
        return moved

    def _template_of(self, face: Face) -> FaceTemplate | None:
        """By the landmarks: a face that was prepared is a copy, which shares them."""
        return next((t for t in self._templates if t.face.landmarks is face.landmarks), None)


def _sane(faces: Sequence[Face], rgb: NDArray[np.uint8]) -> list[Face]:
    """Without boxes that no face of this frame can have."""
    height, width = rgb.shape[:2]
    return [face for face in faces if _is_sane(face.box, width, height)]


def _is_sane(box: Box, width: int, height: int) -> bool:
    if not all(map(math.isfinite, (box.x, box.y, box.width, box.height))):
        return False
    is_sized = min(box.width, box.height) > 0 and box.side <= LARGEST * max(width, height)
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
