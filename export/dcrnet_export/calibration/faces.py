"""Prepared faces: to check artefacts on, and to calibrate with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.data.face_cache import face_of_crop
from dcrnet_runtime.detectors.detector import Detector, open_detector
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import PreprocessSpec
from dcrnet_runtime.video.images import IMAGE_SUFFIXES, read_image

_CROP_PX = 256
"""An image of at most this side is taken to be a face crop already."""

_MOST_IMAGES = 2048
_MOST_COMPARED = 256
LEAST_COMPARED = 64
_GAINS = (0.5, 0.7, 0.85, 1.0, 1.15, 1.3)
_SHIFTS = (-0.06, -0.04, -0.02, 0.0, 0.02, 0.04)
_SYNTHETIC = 72


@dataclass(frozen=True, slots=True, eq=False)
class PreparedCrops:
    """What the network is fed, and where it comes from.

    Attributes:
        crops: (N, S, S, 3) uint8 RGB.
        source: for people, and for the card.
    """

    crops: NDArray[np.uint8]
    source: str


def folder_faces(folder: Path, spec: PreprocessSpec) -> PreparedCrops:
    """Every face of the images in a folder and below, of 2048 of them spread evenly if more.

    An image of at most 256 px counts as a face crop; in a larger one all faces that the detector
    sees are taken, and an image without any, or that cannot be read, is left out.

    Raises:
        DcrnetError: no such folder, or no face in it.
    """
    if not folder.is_dir():
        raise DcrnetError(f"--calib {folder} is no folder: name one with images of faces")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    paths = paths[:: max(1, math.ceil(len(paths) / _MOST_IMAGES))]
    detector = open_detector()
    crops = [crop for path in paths for crop in _image_faces(path, detector, spec)]
    if not crops:
        raise DcrnetError(
            f"--calib {folder} has no face in its {len(paths)} images: name a folder with"
            " .jpg or .png images of faces"
        )
    stacked = np.stack(crops)
    digest = sha256(stacked.tobytes()).hexdigest()
    return PreparedCrops(stacked, f"{len(crops)} faces given by --calib, crops' sha256 {digest}")


def _image_faces(
    path: Path, detector: Detector, spec: PreprocessSpec
) -> Iterator[NDArray[np.uint8]]:
    try:
        rgb = read_image(path)
    except DcrnetError:
        return
    crop = max(rgb.shape[:2]) <= _CROP_PX
    for face in [face_of_crop(rgb, detector)] if crop else detector.find(rgb):
        with suppress(ValueError):  # a face that lies outside the image is no face of it
            yield prepare(rgb, face, spec)


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
