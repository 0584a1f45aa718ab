"""A face as the detectors report it, in pixels of the frame."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
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

    @classmethod
    def from_corners(cls, left: float, top: float, right: float, bottom: float) -> Box:
        """The box between two corners in px, as many detectors report it."""
        return cls(left, top, right - left, bottom - top)

    @property
    def area(self) -> float:
        """In px²."""
        return self.width * self.height

    def overlap(self, other: Box) -> float:
        """Intersection over union with another box, 0..1."""
        common = self._common(other)
        return common / (self.area + other.area - common) if common else 0.0

    def containment(self, other: Box) -> float:
        """The share of the smaller of two boxes that lies in the other one, 0..1."""
        common = self._common(other)
        return common / min(self.area, other.area) if common else 0.0

    def outside(self, width: float, height: float) -> float:
        """The share of the box that lies outside a picture of (width, height) px, 0..1."""
        return 1.0 - self._common(Box(0.0, 0.0, width, height)) / self.area if self.area else 0.0

    def _common(self, other: Box) -> float:
        """The area in px² that two boxes share."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return width * height if width > 0 and height > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Face:
    """One face of a frame.

    Attributes:
        box: the face, framed from above the eyebrows to the chin.
        landmarks: (468, 2) float32 (x, y) in px of the frame, MediaPipe's mesh order, or None
            where the detector has none: then the box-only path prepares the face.
        score: the detector's confidence 0..1 (1 where it gives none).
        outside: the share of the box, 0..1, that lies outside the picture: what is not seen of
            the face is guessed by its landmarks. Known once a crop was made of the face.
    """

    box: Box
    landmarks: NDArray[np.float32] | None = None
    score: float = 1.0
    outside: float = 0.0

    def __repr__(self) -> str:
        where = ", ".join(f"{value:.0f}" for value in astuple(self.box))
        mesh = "" if self.landmarks is None else f", {len(self.landmarks)} landmarks"
        return f"Face(Box({where}){mesh}, score={self.score:.2f})"

    def moved(self, x: float, y: float) -> Face:
        """The same face in px of a picture whose first pixel lies at (-x, -y) of this one."""
        box = Box(self.box.x + x, self.box.y + y, self.box.width, self.box.height)
        mesh = self.landmarks
        if mesh is not None:
            mesh = (mesh + np.array([x, y], np.float32)).astype(np.float32)
        return replace(self, box=box, landmarks=mesh)

    def five_points(self) -> NDArray[np.float32]:
        """Right eye, left eye, nose tip, right and left mouth corner, (5, 2) px.

        Raises:
            ValueError: the face has no landmarks.
        """
        if self.landmarks is None:
            raise ValueError("the face has no landmarks")
        return (self.landmarks[FIVE_STARTS] + self.landmarks[FIVE_ENDS]) / np.float32(2)
