"""Corruptions in five grades, after ImageNet-C (Hendrycks and Dietterich 2019).

The kinds are those of :mod:`dcrnet_edge.data.corruptions`; here each has a scale. Lengths are for
48 px pictures and grow with larger ones.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dcrnet_edge.data.corruptions import (
    EYES,
    MASK,
    MOUTH,
    SIDE,
    Region,
    blurred,
    covered,
    downscaled,
    exposed,
    few_photons,
    flattened,
    jpeg_coded,
    masked,
    noisy,
    turned,
    with_square,
)
from dcrnet_edge.datasets.sample import Sample
from dcrnet_edge.studies.pictures.families import STRENGTHS, Family
from dcrnet_runtime.face import Box, Face
from dcrnet_runtime.preprocess.focus import LEFT_EYE_OUTLINE, LIPS, RIGHT_EYE_OUTLINE

_EXPOSURE_OFFSETS = (5.0, 10.0, 15.0, 20.0, 30.0)


@dataclass(frozen=True, slots=True)
class GradedCorruption:
    """One grade of one family, on one picture: a :class:`dcrnet_edge.datasets.sample.Alteration`.

    Attributes:
        family: what is done.
        severity: 1 to 5.
        region_px: where the face's landmarks have eyes or mouth, in px of the picture; None is
            their usual place.
        seed: of noise, places and turns.
    """

    family: Family
    severity: int
    region_px: Region | None = None
    seed: int = 0

    @property
    def key(self) -> str:
        """Everything that the picture depends on."""
        place = "" if self.region_px is None else " ".join(f"{e:.2f}" for e in self.region_px)
        return f"{self.family} {STRENGTHS[self.family][self.severity - 1]} {self.seed} {place}"

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        picture = zlib.crc32(np.ascontiguousarray(rgb).data)
        rng = np.random.default_rng((self.seed, picture))
        region = None if self.region_px is None else _of_48(self.region_px, rgb.shape)
        return graded(rgb, self.family, self.severity, rng, region)


def graded(
    rgb: NDArray[np.uint8],
    family: Family,
    severity: int,
    rng: np.random.Generator,
    region: Region | None = None,
) -> NDArray[np.uint8]:
    """A corrupted copy.

    Args:
        rgb: (H, W, 3) uint8, left as it is.
        family: what to do.
        severity: 1 to 5.
        rng: of noise, places and turns.
        region: where eyes or mouth are, in px of 48; None is their usual place.

    Returns:
        (H, W, 3) uint8.
    """
    strength = STRENGTHS[family][severity - 1]
    match family:
        case Family.DARKNESS:
            return exposed(rgb, strength)
        case Family.OVEREXPOSURE:
            return exposed(rgb, strength, _EXPOSURE_OFFSETS[severity - 1])
        case Family.CONTRAST:
            return flattened(rgb, strength)
        case Family.GAUSSIAN_NOISE:
            return noisy(rgb, strength, rng)
        case Family.SHOT_NOISE:
            return few_photons(rgb, strength, rng)
        case Family.BLUR:
            return blurred(rgb, strength)
        case Family.JPEG:
            return jpeg_coded(rgb, int(strength))
        case Family.DOWNSCALING:
            return downscaled(rgb, strength)
        case Family.ROTATION:
            return turned(rgb, strength, rng)
        case Family.EYES:
            return covered(rgb, _scaled(region or EYES, strength))
        case Family.MOUTH:
            return covered(rgb, _scaled(region or MOUTH, strength))
        case Family.SQUARE:
            return with_square(rgb, strength, rng)
        case Family.MASK:
            return masked(rgb, _risen(strength))


def corrupted(
    samples: Sequence[Sample], faces: Sequence[Face], family: Family, severity: int
) -> list[Sample]:
    """The same samples, each picture corrupted.

    Args:
        samples: whole pictures.
        faces: as they were found in the clean pictures: eyes and mouth are covered where these
            have them.
        family: what is done.
        severity: 1 to 5.
    """
    return [
        replace(s, alteration=GradedCorruption(family, severity, _region_px(family, face)))
        for s, face in zip(samples, faces, strict=True)
    ]


_MARGIN = 0.15
"""Of the outline's width, on each side: lids and lips are larger than their outlines."""


def _region_px(family: Family, face: Face) -> Region | None:
    outline: tuple[int, ...]
    match family:
        case Family.EYES:
            outline = RIGHT_EYE_OUTLINE + LEFT_EYE_OUTLINE
        case Family.MOUTH:
            outline = LIPS
        case _:
            return None
    if face.landmarks is None:
        return None
    box = Box.around(face.landmarks[list(outline)])
    margin = _MARGIN * box.width
    return box.y - margin, box.y + box.height + margin, box.x - margin, box.x + box.width + margin


def _of_48(region_px: Region, shape: tuple[int, ...]) -> Region:
    rows, columns = SIDE / shape[0], SIDE / shape[1]
    top, bottom, left, right = region_px
    return top * rows, bottom * rows, left * columns, right * columns


def _scaled(region: Region, share: float) -> Region:
    """Its sides by a factor, about its middle."""
    top, bottom, left, right = region
    rows, columns = (1 - share) * (bottom - top) / 2, (1 - share) * (right - left) / 2
    return top + rows, bottom - rows, left + columns, right - columns


def _risen(share: float) -> list[tuple[float, float]]:
    """The mask's corners when it has risen a share of its height from the chin."""
    low = max(y for _, y in MASK)
    return [(x, low - share * (low - y)) for x, y in MASK]
