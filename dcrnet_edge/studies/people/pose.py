"""Where a head looks, by its landmarks."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

# Nose tip, chin, outer eye corners (right, left), mouth corners (right, left) of the mesh, and a
# generic head's in mm: Gee and Cipolla 1994 by way of Mallick, "Head pose estimation using OpenCV
# and dlib" (2016), y down and z away from the camera.
_POINTS = [1, 152, 33, 263, 61, 291]
_HEAD_MM = np.array(
    [
        (0.0, 0.0, 0.0),
        (0.0, 66.0, 13.0),
        (-45.0, -34.0, 27.0),
        (45.0, -34.0, 27.0),
        (-30.0, 30.0, 25.0),
        (30.0, 30.0, 25.0),
    ]
)
_FOCAL_SIDES = 5.0
"""Focal length in sides of the face: as far away as cameras are from faces, where perspective
hardly matters."""


def yaw_pitch_deg(landmarks: NDArray[np.float32]) -> tuple[float, float]:
    """Turn to the picture's right, and downwards, in degrees; 0 is frontal.

    Args:
        landmarks: (468, 2) in px.

    Returns:
        NaNs where no pose explains the points.
    """
    points = landmarks[_POINTS].astype(np.float64)
    side = float(np.ptp(landmarks, axis=0).max())
    middle = points.mean(axis=0)
    camera = np.array(
        [[_FOCAL_SIDES * side, 0, middle[0]], [0, _FOCAL_SIDES * side, middle[1]], [0, 0, 1]]
    )
    is_found, turn, _ = cv2.solvePnP(
        _HEAD_MM, points, camera, np.zeros(4), flags=cv2.SOLVEPNP_SQPNP
    )
    if not is_found:
        return math.nan, math.nan
    forward = cv2.Rodrigues(turn)[0] @ np.array([0.0, 0.0, -1.0])
    yaw = math.degrees(math.atan2(forward[0], -forward[2]))
    pitch = math.degrees(math.asin(float(np.clip(forward[1], -1, 1))))
    return yaw, pitch
