"""Faces of a folder of images, to calibrate with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.data.face_cache import face_of_crop
from dcrnet_export.calibration.crops import PreparedCrops
from dcrnet_runtime.detectors.detector import Detector, open_detector
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.face import UnusableFaceError
from dcrnet_runtime.preprocess.crops import prepare
from dcrnet_runtime.preprocess.spec import PreprocessSpec
from dcrnet_runtime.video.images import IMAGE_SUFFIXES, read_image

_CROP_PX = 256
"""An image of at most this side is taken to be a face crop already."""

_MOST_IMAGES = 2048


def folder_faces(folder: Path, spec: PreprocessSpec) -> PreparedCrops:
    """Every face of the images in a folder and below, of 2048 of them spread evenly if more.

    An image of at most 256 px counts as a face crop; in a larger one all faces that the detector
    sees are taken, and an image without any, or that cannot be read, is left out.

    Raises:
        DcrnetError: no such folder, or no face in it.
    """
    if not folder.is_dir():
        raise DcrnetError(f"`calib` {folder} is no folder: name one with images of faces")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    paths = paths[:: max(1, math.ceil(len(paths) / _MOST_IMAGES))]
    detector = open_detector()
    crops = [crop for path in paths for crop in _image_faces(path, detector, spec)]
    if not crops:
        raise DcrnetError(
            f"`calib` {folder} has no face in its {len(paths)} images: name a folder with"
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
        with suppress(UnusableFaceError):
            yield prepare(rgb, face, spec)
