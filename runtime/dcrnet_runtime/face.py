"""A face as the detectors report it, in pixels of the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LANDMARKS = 468
"""Points of MediaPipe's face mesh that every landmark provider returns."""

RIGHT_EYE = (33, 133)
LEFT_EYE = (362, 263)
NOSE_TIP = 1
RIGHT_MOUTH = 61
LEFT_MOUTH = 291

# Each of the five points is the middle of two: an eye's corners, or one point twice.
FIVE_STARTS = [RIGHT_EYE[0], LEFT_EYE[0], NOSE_TIP, RIGHT_MOUTH, LEFT_MOUTH]
FIVE_ENDS = [RIGHT_EYE[1], LEFT_EYE[1], NOSE_TIP, RIGHT_MOUTH, LEFT_MOUTH]


class UnusableFaceError(ValueError):
    """A face of which no crop can be made: it lies outside the frame, or has no extent."""


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-parallel box in px of the frame; it may reach past the frame's edges."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        """The middle as (x, y) in px."""
        return self.x + self.width / 2, self.y + self.height / 2

    @classmethod
    def around(cls, points: NDArray[np.floating[Any]]) -> Box:
        """The smallest box that holds (N, 2) points."""
        low, high = points.min(axis=0), points.max(axis=0)
        return cls(*map(float, low), *map(float, high - low))

    @property
    def side(self) -> float:
        """The longer side in px."""
        return max(self.width, self.height)

    def overlap(self, other: Box) -> float:
        """Intersection over union with another box, 0..1."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        if width <= 0 or height <= 0:
            return 0.0
        common = width * height
        return common / (self.width * self.height + other.width * other.height - common)


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face of a frame.

    Attributes:
        box: the face, framed from above the eyebrows to the chin.
        landmarks: (468, 2) float32 (x, y) in px of the frame, MediaPipe's mesh order, or None
            where the detector has none: then the box-only path prepares the face.
        score: the detector's confidence 0..1 (1 where it gives none).
    """

    box: Box
    landmarks: NDArray[np.float32] | None = None
    score: float = 1.0

    def five_points(self) -> NDArray[np.float32]:
        """Right eye, left eye, nose tip, right and left mouth corner, (5, 2) px.

        Raises:
            ValueError: the face has no landmarks.
        """
        if self.landmarks is None:
            raise ValueError("the face has no landmarks")
        return (self.landmarks[FIVE_STARTS] + self.landmarks[FIVE_ENDS]) / 2
