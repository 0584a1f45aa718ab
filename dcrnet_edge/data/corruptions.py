"""What cameras and hands do to a picture of a face, each kind at one strength.

The kinds are put on the picture before a face is looked for in it. Lengths are those of
FERPlus's 48 px pictures, whose face fills them, and grow with the sides of larger ones.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 48
"""Side in px of the pictures that all lengths here are stated for."""


class Corruption(StrEnum):
    """A kind of corruption; :data:`TRAINED` and :data:`HELD_OUT` say which are learned from."""

    HALF_BRIGHTNESS = "half-brightness"
    QUARTER_BRIGHTNESS = "quarter-brightness"
    OVEREXPOSURE = "overexposure"
    NOISE_10 = "noise-10"
    NOISE_25 = "noise-25"
    BLUR = "blur"
    JPEG = "jpeg"
    SQUARE = "square"
    EYES = "eyes"
    MOUTH = "mouth"
    CONTRAST = "contrast"
    SHOT_NOISE = "shot-noise"
    ROTATION = "rotation"
    DOWNSCALING = "downscaling"
    MASK = "mask"


TRAINED = (
    Corruption.HALF_BRIGHTNESS,
    Corruption.QUARTER_BRIGHTNESS,
    Corruption.OVEREXPOSURE,
    Corruption.NOISE_10,
    Corruption.NOISE_25,
    Corruption.BLUR,
    Corruption.JPEG,
    Corruption.SQUARE,
    Corruption.EYES,
    Corruption.MOUTH,
)
"""Kinds that training may show."""

HELD_OUT = (
    Corruption.CONTRAST,
    Corruption.SHOT_NOISE,
    Corruption.ROTATION,
    Corruption.DOWNSCALING,
    Corruption.MASK,
)
"""Kinds that no training shows, so that they tell robustness from what was learned by heart."""


@dataclass(frozen=True, slots=True)
class SeededCorruption:
    """One kind on every picture of a data set, drawn anew for each.

    The draw depends on seed and picture alone, so that order and number of the pictures do not
    matter. See :class:`dcrnet_edge.datasets.sample.Alteration`.

    Attributes:
        kind: what is done.
        seed: of noise, places and turns.
    """

    kind: Corruption
    seed: int = 0

    @property
    def key(self) -> str:
        """Kind and seed."""
        return f"{self.kind} {self.seed}"

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        picture = zlib.crc32(np.ascontiguousarray(rgb).data)
        return corrupt(rgb, self.kind, np.random.default_rng((self.seed, picture)))


_SQUARE = 16
_SQUARE_PLACES = (4, 27)
_EYES = (12, 22, 6, 42)
_MOUTH = (31, 43, 12, 36)
"""First row, last row + 1, first column, last column + 1."""

_MASK = ((5, 27), (23.5, 23), (42, 27), (39, 42), (31, 48), (16, 48), (8, 42))
"""Corners (x, y) in px of what a mask covers, from the bridge of the nose to the chin."""

_MASK_CODE = 200
_JPEG_QUALITY = 20
_PHOTONS = 60.0
_CONTRAST = 0.3
_ROTATION_DEG = 20.0
_DOWNSCALING = 2.0


def corrupt(
    rgb: NDArray[np.uint8], kind: Corruption, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A corrupted copy; a grey picture stays grey.

    ==================  ========================================================================
    kind                what it does
    ==================  ========================================================================
    half-brightness     codes x 0.5
    quarter-brightness  codes x 0.25
    overexposure        codes x 1.5 + 20
    noise-10, noise-25  Gaussian noise of 10 and 25 codes, one draw a pixel for all channels
    blur                Gaussian, sigma 1 px
    jpeg                quality 20
    square              16 px, black, its first row and column anywhere from 4 to 27
    eyes                rows 12 to 21, columns 6 to 41 black
    mouth               rows 31 to 42, columns 12 to 35 black
    contrast            codes x 0.3 about the picture's mean
    shot-noise          Poisson, 60 photons at code 255; one draw a pixel, by the channels' mean
    rotation            20 degrees to either side about the middle, the border repeated
    downscaling         to half the side by areas, and back bilinearly
    mask                nose, mouth and chin under one light grey polygon
    ==================  ========================================================================

    Args:
        rgb: (H, W, 3) uint8, left as it is. Lengths in the table are for 48 px.
        kind: what to do.
        rng: of noise, places and turns; the same state gives the same picture.

    Returns:
        (H, W, 3) uint8.
    """
    match kind:
        case Corruption.HALF_BRIGHTNESS:
            return _codes(rgb * 0.5)
        case Corruption.QUARTER_BRIGHTNESS:
            return _codes(rgb * 0.25)
        case Corruption.OVEREXPOSURE:
            return _codes(rgb * 1.5 + 20.0)
        case Corruption.NOISE_10:
            return _codes(rgb + rng.normal(0.0, 10.0, (*rgb.shape[:2], 1)))
        case Corruption.NOISE_25:
            return _codes(rgb + rng.normal(0.0, 25.0, (*rgb.shape[:2], 1)))
        case Corruption.BLUR:
            return _blur(rgb)
        case Corruption.JPEG:
            return _jpeg(rgb)
        case Corruption.SQUARE:
            low, high = _SQUARE_PLACES
            top, left = rng.integers(low, high + 1, 2)
            return _covered(rgb, top, top + _SQUARE, left, left + _SQUARE)
        case Corruption.EYES:
            return _covered(rgb, *_EYES)
        case Corruption.MOUTH:
            return _covered(rgb, *_MOUTH)
        case Corruption.CONTRAST:
            mean = rgb.mean()
            return _codes((rgb - mean) * _CONTRAST + mean)
        case Corruption.SHOT_NOISE:
            return _shot_noise(rgb, rng)
        case Corruption.ROTATION:
            return _rotated(rgb, _ROTATION_DEG * rng.choice((-1.0, 1.0)))
        case Corruption.DOWNSCALING:
            return _downscaled(rgb)
        case Corruption.MASK:
            return _masked(rgb)


def _codes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _blur(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    return cv2.GaussianBlur(rgb, (0, 0), sigmaX=width / SIDE, sigmaY=height / SIDE)


def _jpeg(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    packed = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
    return cv2.cvtColor(cv2.imdecode(packed, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def _covered(
    rgb: NDArray[np.uint8], top: int, bottom: int, left: int, right: int
) -> NDArray[np.uint8]:
    rows, columns = (side / SIDE for side in rgb.shape[:2])
    covered = rgb.copy()
    covered[
        round(top * rows) : round(bottom * rows), round(left * columns) : round(right * columns)
    ] = 0
    return covered


def _shot_noise(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    level = rgb.mean(axis=2, keepdims=True)
    code_a_photon = 255.0 / _PHOTONS
    return _codes(rgb + rng.poisson(level / code_a_photon) * code_a_photon - level)


def _rotated(rgb: NDArray[np.uint8], angle_deg: float) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle_deg, 1.0)
    return cv2.warpAffine(rgb, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


def _downscaled(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    small = max(1, round(width / _DOWNSCALING)), max(1, round(height / _DOWNSCALING))
    few = cv2.resize(rgb, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(few, (width, height), interpolation=cv2.INTER_LINEAR)


def _masked(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    corners = (np.array(_MASK) + 0.5) * (width / SIDE, height / SIDE) - 0.5
    bits = 4  # of a pixel's fraction
    fixed = np.rint(corners * 2**bits).astype(np.int32)
    return cv2.fillConvexPoly(rgb.copy(), fixed, (_MASK_CODE,) * 3, shift=bits)
