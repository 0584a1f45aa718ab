"""The face in a box that someone else has drawn: one function for training and running.

A data set of face crops, a photo that is one, and boxes from another detector are all searched so.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.detectors.detector import Detector, FaintFaceDetector
from dcrnet_runtime.face import Box, Face

MARGIN = 0.25
"""Of a box's longer side: detectors want to see around a face."""


def whole_picture(rgb: NDArray[np.uint8]) -> Box:
    """The box of an (H, W, 3) picture that is itself a face crop."""
    height, width = rgb.shape[:2]
    return Box(0.0, 0.0, float(width), float(height))


def surrounded(rgb: NDArray[np.uint8], box: Box) -> tuple[NDArray[np.uint8], int, int]:
    """A box of an (H, W, 3) picture with :data:`MARGIN`, and where its first pixel lies (x, y)."""
    margin = round(MARGIN * box.side)
    left, top = math.floor(box.x) - margin, math.floor(box.y) - margin
    right, bottom = math.ceil(box.x + box.width) + margin, math.ceil(box.y + box.height) + margin
    height, width = rgb.shape[:2]
    inside = rgb[
        min(max(top, 0), height - 1) : max(min(bottom, height), 1),
        min(max(left, 0), width - 1) : max(min(right, width), 1),
    ]
    beyond = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    if any(beyond):
        inside = cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(inside), left, top


def face_in_box(rgb: NDArray[np.uint8], box: Box, detector: Detector) -> Face:
    """The landmarks of the face in a box, whose surroundings are shown to the detector as well.

    The most central face counts. Beyond the picture's edges its outermost pixels go on.

    Args:
        rgb: (H, W, 3) uint8.
        box: finite, of some px, and of the picture's size or less.
        detector: looks for the face.

    Returns:
        a face with this very box, and with landmarks in px of the picture, or None where there is
        no face or the detector has none.
    """
    region, left, top = surrounded(rgb, box)
    best, best_distance = None, 0.5 * box.side
    for face in detector.find(region):
        landmarks = face.moved(left, top).landmarks
        if landmarks is None:
            continue
        distance = float(np.linalg.norm(landmarks.mean(axis=0) - np.array(box.centre)))
        if distance < best_distance:
            best, best_distance = landmarks, distance
    return Face(box, best)


def face_of_crop(rgb: NDArray[np.uint8], detector: Detector) -> Face | None:
    """The face of a picture that one may fill, for detectors that see none in it as it is.

    Args:
        rgb: (H, W, 3) uint8.
        detector: looks for the face.

    Returns:
        what :func:`face_in_box` finds, framed by its landmarks, else a
        :class:`dcrnet_runtime.detectors.detector.FaintFaceDetector`'s face; None for none.
    """
    found = face_in_box(rgb, whole_picture(rgb), detector)
    if found.landmarks is not None:
        return Face(Box.around(found.landmarks), found.landmarks)
    return detector.find_faint(rgb) if isinstance(detector, FaintFaceDetector) else None
