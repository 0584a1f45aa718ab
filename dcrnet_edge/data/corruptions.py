"""What cameras and hands do to a picture of a face, each kind at one strength.

The kinds are put on the picture before a face is looked for in it. Lengths are those of
FERPlus's 48 px pictures, whose face fills them, and grow with the sides of larger ones.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
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


Region = tuple[float, float, float, float]
"""First row, last row + 1, first column, last column + 1, in px of a 48 px picture."""

EYES: Region = (12, 22, 6, 42)
MOUTH: Region = (31, 43, 12, 36)
SQUARE_PLACES = (4, 27)
"""First and last row and column in px where a square may begin."""

MASK = ((5, 27), (23.5, 23), (42, 27), (39, 42), (31, 48), (16, 48), (8, 42))
"""Corners (x, y) in px of what a mask covers, from the bridge of the nose to the chin."""

_SQUARE_SIDE = 16.0
_MASK_CODE = 200


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
            return exposed(rgb, 0.5)
        case Corruption.QUARTER_BRIGHTNESS:
            return exposed(rgb, 0.25)
        case Corruption.OVEREXPOSURE:
            return exposed(rgb, 1.5, 20.0)
        case Corruption.NOISE_10:
            return noisy(rgb, 10.0, rng)
        case Corruption.NOISE_25:
            return noisy(rgb, 25.0, rng)
        case Corruption.BLUR:
            return blurred(rgb, 1.0)
        case Corruption.JPEG:
            return jpeg_coded(rgb, 20)
        case Corruption.SQUARE:
            return with_square(rgb, _SQUARE_SIDE, rng)
        case Corruption.EYES:
            return covered(rgb, EYES)
        case Corruption.MOUTH:
            return covered(rgb, MOUTH)
        case Corruption.CONTRAST:
            return flattened(rgb, 0.3)
        case Corruption.SHOT_NOISE:
            return few_photons(rgb, 60.0, rng)
        case Corruption.ROTATION:
            return turned(rgb, 20.0, rng)
        case Corruption.DOWNSCALING:
            return downscaled(rgb, 2.0)
        case Corruption.MASK:
            return masked(rgb, MASK)


def exposed(rgb: NDArray[np.uint8], gain: float, offset: float = 0.0) -> NDArray[np.uint8]:
    """Codes x gain + offset."""
    return _codes(rgb * np.float64(gain) + offset)


def noisy(rgb: NDArray[np.uint8], sigma: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Gaussian noise of ``sigma`` codes, one draw a pixel for all channels."""
    return _codes(rgb + rng.normal(0.0, sigma, (*rgb.shape[:2], 1)))


def blurred(rgb: NDArray[np.uint8], sigma_px: float) -> NDArray[np.uint8]:
    """Gaussian blur; sigma in px of 48."""
    rows, columns = _scale(rgb)
    return cv2.GaussianBlur(rgb, (0, 0), sigmaX=sigma_px * columns, sigmaY=sigma_px * rows)


def jpeg_coded(rgb: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Packed as JPEG of a quality of 1 to 100, and unpacked."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    packed = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.cvtColor(cv2.imdecode(packed, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def covered(rgb: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    """A black rectangle; what of it lies outside the picture covers nothing."""
    rows, columns = _scale(rgb)
    top, bottom, left, right = (max(0.0, edge) for edge in region)
    copy = rgb.copy()
    copy[
        round(top * rows) : round(bottom * rows), round(left * columns) : round(right * columns)
    ] = 0
    return copy


def with_square(
    rgb: NDArray[np.uint8], side_px: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A black square, its first row and column drawn from :data:`SQUARE_PLACES`."""
    low, high = SQUARE_PLACES
    top, left = rng.integers(low, high + 1, 2)
    return covered(rgb, (top, top + side_px, left, left + side_px))


def flattened(rgb: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """A share of the contrast about the picture's mean."""
    mean = rgb.mean()
    return _codes((rgb - mean) * share + mean)


def few_photons(
    rgb: NDArray[np.uint8], photons: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Poisson noise of so many photons at code 255; one draw a pixel, by the channels' mean."""
    level = rgb.mean(axis=2, keepdims=True)
    code_a_photon = 255.0 / photons
    return _codes(rgb + rng.poisson(level / code_a_photon) * code_a_photon - level)


def turned(
    rgb: NDArray[np.uint8], angle_deg: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Turned about the middle to a side that is drawn, the border repeated."""
    height, width = rgb.shape[:2]
    middle = ((width - 1) / 2, (height - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, angle_deg * rng.choice((-1.0, 1.0)), 1.0)
    return cv2.warpAffine(rgb, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


def downscaled(rgb: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Sides divided by a factor, by areas, and back bilinearly."""
    height, width = rgb.shape[:2]
    small = max(1, round(width / factor)), max(1, round(height / factor))
    few = cv2.resize(rgb, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(few, (width, height), interpolation=cv2.INTER_LINEAR)


def masked(rgb: NDArray[np.uint8], corners: Sequence[tuple[float, float]]) -> NDArray[np.uint8]:
    """A light grey polygon of (x, y) corners in px of 48."""
    rows, columns = _scale(rgb)
    inside = (np.array(corners) + 0.5) * (columns, rows) - 0.5
    bits = 4  # of a pixel's fraction
    fixed = np.rint(inside * 2**bits).astype(np.int32)
    return cv2.fillConvexPoly(rgb.copy(), fixed, (_MASK_CODE,) * 3, shift=bits)


def _scale(rgb: NDArray[np.uint8]) -> tuple[float, float]:
    """Rows and columns for one of 48."""
    height, width = rgb.shape[:2]
    return height / SIDE, width / SIDE


def _codes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
