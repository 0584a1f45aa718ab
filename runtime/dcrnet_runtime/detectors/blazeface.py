"""Decoding of MediaPipe's BlazeFace short-range detector (128 x 128, 896 anchors)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

INPUT_PX = 128
KEYPOINTS = 6
RIGHT_EYE, LEFT_EYE = 0, 1
GRIDS = ((16, 2), (8, 6))
"""Cells along a side and anchors in each, of the two sizes."""
MERGED_IOU = 0.3
"""Candidates that overlap by more are averaged: MediaPipe's ``min_suppression_threshold``."""


def _anchors() -> NDArray[np.float32]:
    """Anchor centres (896, 2) as fractions of the input; all have size 1."""
    grids = []
    for cells, per_cell in GRIDS:
        y, x = np.mgrid[0:cells, 0:cells]
        centres = np.stack([x, y], axis=-1).reshape(-1, 2)
        grids.append(np.repeat((centres + 0.5) / cells, per_cell, axis=0))
    return np.concatenate(grids).astype(np.float32)


ANCHORS = _anchors()


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A detected face in fractions of the detector's input.

    Attributes:
        corners: (x0, y0, x1, y1) float32.
        keypoints: (6, 2) float32: right eye, left eye, nose, mouth, right ear, left ear.
        score: 0..1.
    """

    corners: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    score: float


def decode(
    regressors: NDArray[np.float32], logits: NDArray[np.float32], min_score: float
) -> list[Detection]:
    """The detector's raw output to faces, best first.

    Overlapping candidates are averaged by score, as MediaPipe does, not dropped.

    Args:
        regressors: (896, 16) offsets in input px.
        logits: (896,) scores before the sigmoid.
        min_score: candidates below are ignored.
    """
    scores: NDArray[np.float32] = np.float32(1) / (
        np.float32(1) + np.exp(-np.clip(logits, -80.0, 80.0))
    )
    chosen = np.flatnonzero(scores >= min_score)
    if chosen.size == 0:
        return []
    scores = scores[chosen]
    points = regressors[chosen].reshape(-1, 2 + KEYPOINTS, 2) / np.float32(INPUT_PX)
    anchors = ANCHORS[chosen]
    centre, size = points[:, 0] + anchors, points[:, 1]
    keypoints = points[:, 2:] + anchors[:, None]
    corners = np.concatenate(
        [centre - size / np.float32(2), centre + size / np.float32(2)], axis=1
    )
    return _merge(corners, keypoints, scores)


def _merge(
    corners: NDArray[np.float32], keypoints: NDArray[np.float32], scores: NDArray[np.float32]
) -> list[Detection]:
    left = np.argsort(-scores, kind="stable")
    found = []
    while left.size:
        same = _overlap(corners[left[0]], corners[left]) > MERGED_IOU
        same[0] = True
        group = left[same]
        weight = scores[group] / scores[group].sum()
        found.append(
            Detection(
                np.einsum("n,nc->c", weight, corners[group]),
                np.einsum("n,nkc->kc", weight, keypoints[group]),
                float(scores[group[0]]),
            )
        )
        left = left[~same]
    return found


def _overlap(one: NDArray[np.float32], many: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of one (4,) box with (N, 4) boxes."""
    low = np.maximum(one[:2], many[:, :2])
    high = np.minimum(one[2:], many[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    area = np.prod(one[2:] - one[:2]) + np.prod(many[:, 2:] - many[:, :2], axis=1)
    return common / np.maximum(area - common, 1e-9)
