"""Where the crop lies in the frame: similarity transforms in pixel coordinates.

A pixel's centre lies at its integer coordinate, as in OpenCV's warps. Matrices are (2, 3)
float64 and map frame px to crop px.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.face import Box, UnusableFaceError

Matrix = NDArray[np.float64]
Points = NDArray[np.floating[Any]]


def similarity(source: Points, target: Points) -> Matrix:
    """The least-squares similarity (rotation, one scale, shift; no mirror) source -> target.

    Args:
        source: (N, 2) points, N >= 2.
        target: (N, 2) points.

    Returns:
        (2, 3) matrix. Umeyama (PAMI 1991), in the closed form that two dimensions allow.

    Raises:
        UnusableFaceError: the source points coincide or are not finite.
    """
    if not np.isfinite(source).all():
        raise UnusableFaceError("the points to align are not finite")
    # As complex numbers, a rotation with a scale is one factor.
    s, t = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    s_mean, t_mean = s.mean(), t.mean()
    s, t = s - s_mean, t - t_mean
    spread = float(np.vdot(s, s).real)
    if not math.isfinite(spread) or spread < 1e-9:
        raise UnusableFaceError("the points to align coincide or are absurdly far apart")
    turn = complex(np.vdot(s, t)) / spread
    shift = complex(t_mean - turn * s_mean)
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def box_transform(box: Box, scale: float, size_px: int) -> Matrix:
    """The crop of ``size_px`` centred on ``box``, ``scale`` times its longer side across.

    Raises:
        UnusableFaceError: the box has no area or is not finite.
    """
    side = box.side * scale
    if not math.isfinite(side) or side < 1e-6 or not all(map(math.isfinite, box.centre)):
        raise UnusableFaceError("the face box has no area or is not finite")
    zoom = size_px / side
    cx, cy = box.centre
    left, top = cx - side / 2, cy - side / 2
    # A box is given by pixel edges: its 0 is the left edge of pixel 0, whose centre is at 0.
    shift_x, shift_y = (0.5 - left) * zoom - 0.5, (0.5 - top) * zoom - 0.5
    return np.array([[zoom, 0.0, shift_x], [0.0, zoom, shift_y]])


def template_px(template: tuple[tuple[float, float], ...], size_px: int) -> NDArray[np.float64]:
    """The template's fractions as crop coordinates, (5, 2)."""
    return np.asarray(template, dtype=np.float64) * size_px - 0.5


def zoom_of(matrix: Matrix) -> float:
    """Crop px a frame px."""
    return math.hypot(matrix[0, 0], matrix[1, 0])


def apply(matrix: Matrix, points: Points) -> NDArray[np.float64]:
    """Map (N, 2) points."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def inverse(matrix: Matrix) -> Matrix:
    """The map back, (2, 3)."""
    (a, b, x), (c, d, y) = matrix.tolist()
    area = a * d - b * c
    return np.array([[d, -b, b * y - d * x], [-c, a, c * x - a * y]]) / area


def visible_region(
    matrix: Matrix, size_px: int, source_px: int, height: int, width: int
) -> tuple[int, ...]:
    """The frame's pixels that the crop shows, with a margin for low-pass and kernel.

    Returns:
        (left, top, right, bottom) within the frame, right and bottom exclusive.

    Raises:
        UnusableFaceError: the crop lies wholly outside the frame.
    """
    back = inverse(matrix)
    centre = (size_px - 1) / 2
    x, y = apply(back, np.array([[centre, centre]]))[0].tolist()
    # Half the crop's bounding box in the frame, px.
    half_width, half_height = (size_px / 2 * np.abs(back[:, :2]).sum(axis=1)).tolist()
    margin = 3.0 * max(1.0, size_px / zoom_of(matrix) / source_px)
    left, top = math.floor(x - half_width - margin), math.floor(y - half_height - margin)
    right, bottom = math.ceil(x + half_width + margin) + 1, math.ceil(y + half_height + margin) + 1
    left, right = max(left, 0), min(right, width)
    top, bottom = max(top, 0), min(bottom, height)
    if left >= right or top >= bottom:
        raise UnusableFaceError("the face lies outside the frame")
    return left, top, right, bottom
