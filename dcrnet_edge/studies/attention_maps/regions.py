"""Mouth, eyes and brows of a prepared face, and the share of a map that lies in them."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_runtime.face import Face
from dcrnet_runtime.preprocess import geometry
from dcrnet_runtime.preprocess.crops import crop_transform
from dcrnet_runtime.preprocess.focus import (
    LEFT_BROW,
    LEFT_EYE_OUTLINE,
    LIPS,
    RIGHT_BROW,
    RIGHT_EYE_OUTLINE,
)
from dcrnet_runtime.preprocess.spec import PreprocessSpec

REGIONS = {
    "mouth": (LIPS,),
    "eyes": (RIGHT_EYE_OUTLINE, LEFT_EYE_OUTLINE),
    "brows": (RIGHT_BROW, LEFT_BROW),
}
_MARGIN = 0.03
"""Growth of each outline, as a fraction of the crop's side: lids and lips are larger."""


def region_masks(face: Face, spec: PreprocessSpec) -> dict[str, NDArray[np.bool_]]:
    """Where each region lies, (size_px, size_px) bool; what two share belongs to the first.

    Args:
        face: with landmarks, in px of its picture.
        spec: the contract by which it is prepared.

    Raises:
        UnusableFaceError: the face is degenerate.
    """
    assert face.landmarks is not None
    points = geometry.apply(crop_transform(face, spec), face.landmarks)
    outlines = np.rint(np.clip(points, -spec.size_px, 2 * spec.size_px)).astype(np.int32)
    radius = round(_MARGIN * spec.size_px)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    taken = np.zeros((spec.size_px, spec.size_px), bool)
    masks = {}
    for name, parts in REGIONS.items():
        drawn = np.zeros(taken.shape, np.uint8)
        for part in parts:
            cv2.fillConvexPoly(drawn, cv2.convexHull(outlines[list(part)]), 1)
        masks[name] = (cv2.dilate(drawn, disc) > 0) & ~taken
        taken |= masks[name]
    return masks


def shares(
    weights: NDArray[np.float32], masks: Mapping[str, NDArray[np.bool_]]
) -> dict[str, float]:
    """The share of a map's positive weight in each region; NaN where it has none.

    Args:
        weights: (n, n) map over the crop, of any resolution.
        masks: from :func:`region_masks`.
    """
    side = next(iter(masks.values())).shape[0]
    fine = cv2.resize(np.maximum(weights, 0.0), (side, side), interpolation=cv2.INTER_LINEAR)
    total = float(fine.sum())
    return {
        name: float(fine[mask].sum()) / total if total > 0 else float("nan")
        for name, mask in masks.items()
    }
