"""A face's pixels, to be found again in the next frame without a network.

Lucas and Kanade's image alignment in its inverse compositional form (Baker and Matthews,
"Lucas-Kanade 20 Years On: A Unifying Framework", IJCV 2004) for a similarity: the template's
gradients, and so the normal equations, are computed once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.face import Box, Face

_SIDE = 48  # px of a template
_MARGIN = 12  # px around it that a look takes in
_CENTRE = (_SIDE - 1) / 2
_COARSE = 4  # px of the template to one of the first, whole-pixel search
_SMALLEST = 24.0  # px of the frame: of less, every pixel counts
_ITERATIONS = 8
_STILL_PX = 0.05  # of the template: OpenCV samples at steps of 1/32
_FARTHEST_PX = 12.0  # of the template
_LARGEST_TURN = 0.15  # of the similarity's factor, from 1
_LEAST_CORRELATION = 0.85
_LEAST_CONTRAST = 2.0  # standard deviation of the template's codes

Patch = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where a patch's pixels lie in a frame: axis-parallel, ``pitch`` frame px apart.

    Attributes:
        x: of its first pixel's centre, frame px.
        y: of its first pixel's centre, frame px.
        pitch: frame px from one pixel to the next.
        side: pixels along a side.
    """

    x: float
    y: float
    pitch: float
    side: int

    def patch(self, rgb: NDArray[np.uint8]) -> Patch | None:
        """(side, side) codes of the green channel, which is most of luma; None outside.

        Whole steps are skipped rather than averaged: what this aliases costs less accuracy than
        averaging costs time.
        """
        height, width = rgb.shape[:2]
        reach = math.ceil(self.side * self.pitch) + 1
        left, top = math.floor(self.x), math.floor(self.y)
        right, bottom = min(left + reach, width), min(top + reach, height)
        left, top = max(left, 0), max(top, 0)
        if left >= right or top >= bottom:
            return None
        step = max(1, int(self.pitch))
        region = rgb[top:bottom:step, left:right:step, 1].astype(np.float32)
        scale = self.pitch / step
        matrix = np.array(
            [[scale, 0.0, (self.x - left) / step], [0.0, scale, (self.y - top) / step]]
        )
        return _sampled(region, matrix, self.side)


@dataclass(frozen=True, slots=True, eq=False)
class FaceTemplate:
    """A face as one frame shows it.

    Attributes:
        face: in that frame; it has landmarks.
        time_s: of the frame.
    """

    face: Face
    time_s: float
    _grid: _Grid
    _pixels: Patch
    _solver: NDArray[np.float32]  # (4, pixels): from differences to a step of the similarity

    @classmethod
    def of(cls, rgb: NDArray[np.uint8], face: Face, time_s: float) -> FaceTemplate | None:
        """The template of a face of an (H, W, 3) uint8 RGB frame.

        Returns:
            None where there is too little to hold on to: a face without landmarks or of few
            pixels, or one without contrast.
        """
        if face.landmarks is None or face.box.side < _SMALLEST:
            return None
        pitch = face.box.side / _SIDE
        x, y = (centre - _CENTRE * pitch - 0.5 for centre in face.box.centre)
        grid = _Grid(x - _MARGIN * pitch, y - _MARGIN * pitch, pitch, _SIDE + 2 * _MARGIN)
        seen = grid.patch(rgb)
        if seen is None:
            return None
        pixels = seen[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
        if pixels.std() < _LEAST_CONTRAST:
            return None
        return cls(face, time_s, grid, pixels, _solver(pixels))

    def find(self, rgb: NDArray[np.uint8]) -> Face | None:
        """The face in an (H, W, 3) uint8 RGB frame shortly behind the template's.

        Its landmarks move, turn and grow as one: its expression is still the template's.

        Returns:
            None where the pixels are no longer the template's, or moved too far to be sure.
        """
        seen = self._grid.patch(rgb)
        similarity = None if seen is None else self._align(seen)
        return None if similarity is None else self._moved(*similarity)

    def _align(self, seen: Patch) -> tuple[complex, complex] | None:
        """The factor and the shift, in px of the template about its centre, that it needs."""
        factor, shift = 1.0 + 0.0j, _coarse_shift(seen, self._pixels)
        for _ in range(_ITERATIONS):
            warped = _sampled(seen, _matrix(factor, shift), _SIDE)
            grow, turn, right, down = self._solver @ (warped - self._pixels).ravel()
            step_factor, step = complex(1.0 + grow, turn), complex(right, down)
            factor /= step_factor
            shift -= factor * step
            if not abs(shift) < _FARTHEST_PX or not abs(factor - 1.0) < _LARGEST_TURN:
                return None
            if abs(step) + abs(step_factor - 1.0) * _SIDE / 2 < _STILL_PX:
                is_same = _correlation(warped, self._pixels) >= _LEAST_CORRELATION
                return (factor, shift) if is_same else None
        return None

    def _moved(self, factor: complex, shift: complex) -> Face:
        pitch = self._grid.pitch
        middle = pitch * (_CENTRE + _MARGIN)
        centre = complex(self._grid.x + middle, self._grid.y + middle)
        assert self.face.landmarks is not None
        points = self.face.landmarks[:, 0] + 1j * self.face.landmarks[:, 1]
        points = factor * (points - centre) + shift * pitch + centre
        landmarks = np.stack([points.real, points.imag], axis=1).astype(np.float32)
        return replace(self.face, box=Box.around(landmarks), landmarks=landmarks)


def _coarse_shift(seen: Patch, pixels: Patch) -> complex:
    """Where the template fits best at a quarter of the resolution, px of the template."""
    area, few, more = cv2.INTER_AREA, _SIDE // _COARSE, (_SIDE + 2 * _MARGIN) // _COARSE
    small = cv2.resize(pixels, (few, few), interpolation=area)
    scores = cv2.matchTemplate(
        cv2.resize(seen, (more, more), interpolation=area), small, cv2.TM_CCOEFF_NORMED
    )
    right, down = cv2.minMaxLoc(scores)[3]
    return complex(right * _COARSE - _MARGIN, down * _COARSE - _MARGIN)


def _solver(pixels: Patch) -> NDArray[np.float32]:
    """(4, pixels): least squares of growth, turn and shift, whatever the brightness became."""
    down, right = np.gradient(pixels)
    x, y = _coordinates()
    slopes = np.stack([right * x + down * y, down * x - right * y, right, down])
    slopes = slopes.reshape(4, -1)
    slopes -= slopes.mean(axis=1, keepdims=True)
    # Ridge: what the pixels do not tell (a turn of rings, a shift along stripes) stays as it was.
    normal = (slopes @ slopes.T).astype(np.float64)
    normal += 1e-4 * np.diag(np.diag(normal) + 1.0)
    return np.linalg.solve(normal, slopes).astype(np.float32)


@cache
def _coordinates() -> tuple[Patch, Patch]:
    """x and y of a template's pixels from its centre."""
    y, x = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32) - np.float32(_CENTRE)
    return x, y


def _matrix(factor: complex, shift: complex) -> NDArray[np.float64]:
    """Template px to px of the patch around it, (2, 3)."""
    offset = shift + complex(_CENTRE, _CENTRE) * (1.0 - factor) + complex(_MARGIN, _MARGIN)
    return np.array(
        [[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]]
    )


def _sampled(values: Patch, matrix: NDArray[np.float64], side: int) -> Patch:
    """(side, side) values at the places to which ``matrix`` maps their coordinates."""
    sampled: Patch = cv2.warpAffine(
        values,
        matrix,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return sampled


def _correlation(one: Patch, other: Patch) -> float:
    """Pearson's, -1..1; 0 where a patch is flat."""
    one, other = one - one.mean(), other - other.mean()
    spread = math.sqrt(float((one * one).sum()) * float((other * other).sum()))
    return float((one * other).sum()) / spread if spread > 0 else 0.0
