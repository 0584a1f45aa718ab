"""Faces that need no data set, and enough of them to compare files on."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_export.calibration.crops import PreparedCrops
from dcrnet_runtime.detectors.detector import open_detector
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import PreprocessSpec

LEAST_COMPARED = 64
_MOST_COMPARED = 256
_GAINS = (0.5, 0.7, 0.85, 1.0, 1.15, 1.3)
_SHIFTS = (-0.06, -0.04, -0.02, 0.0, 0.02, 0.04)
_SYNTHETIC = 72


def enough_faces(faces: PreparedCrops, spec: PreprocessSpec) -> PreparedCrops:
    """What files are compared on: at most 256 of the faces, spread evenly.

    Fewer than 64 are joined by :func:`sample_faces`.
    """
    crops = np.ascontiguousarray(faces.crops[:: math.ceil(len(faces.crops) / _MOST_COMPARED)])
    part = "" if len(crops) == len(faces.crops) else f"{len(crops)} of the "
    if len(crops) >= LEAST_COMPARED:
        return PreparedCrops(crops, part + faces.source)
    more = sample_faces(spec)
    return PreparedCrops(
        np.concatenate([crops, more.crops]), f"{len(crops)} {faces.source} and {more.source}"
    )


def sample_faces(spec: PreprocessSpec) -> PreparedCrops:
    """Faces that need no data set: the demo portrait's variants, else synthetic ones."""
    return _portrait_variants(spec) or _synthetic_faces(spec)


def _portrait_variants(spec: PreprocessSpec) -> PreparedCrops | None:
    """The portrait brighter, darker, shifted and mirrored, if the ``demo`` extra is there."""
    try:
        from skimage.data import astronaut
    except ImportError:
        return None
    detector = open_detector()
    crops: list[NDArray[np.uint8]] = []
    for portrait in (astronaut(), np.ascontiguousarray(astronaut()[:, ::-1])):
        found = detector.find(portrait)
        if not found:
            return None
        crops += _variants(portrait, found[0], spec)
    return PreparedCrops(np.stack(crops), f"{len(crops)} variants of the demo portrait")


def _variants(
    portrait: NDArray[np.uint8], face: Face, spec: PreprocessSpec
) -> Iterator[NDArray[np.uint8]]:
    for gain in _GAINS:
        lit = np.clip(portrait * gain, 0, 255).astype(np.uint8)
        for shift in _SHIFTS:
            offset = shift * spec.size_px
            jitter = np.array([[1.0, 0.0, offset], [0.0, 1.0, -offset / 2]])
            yield prepare(lit, face, spec, jitter)


def _synthetic_faces(spec: PreprocessSpec) -> PreparedCrops:
    """Seeded blotches at a face's scales, through the same preprocessing."""
    rng = np.random.default_rng(0)
    side = 2 * spec.source_px
    whole = Face(Box(0.0, 0.0, float(side), float(side)))
    crops = []
    for _ in range(_SYNTHETIC):
        blotches = rng.integers(0, 256, (9, 9, 3), np.uint8)
        frame = cv2.resize(blotches, (side, side), interpolation=cv2.INTER_CUBIC)
        crops.append(prepare(frame, whole, spec))
    return PreparedCrops(np.stack(crops), f"{_SYNTHETIC} synthetic images, no faces")
