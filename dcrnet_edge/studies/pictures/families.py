"""The kinds of graded corruption and their strengths, without what carries them out."""

from __future__ import annotations

from enum import StrEnum

SEVERITIES = (1, 2, 3, 4, 5)


class Family(StrEnum):
    """A kind of corruption that has grades."""

    DARKNESS = "darkness"
    OVEREXPOSURE = "overexposure"
    CONTRAST = "contrast"
    GAUSSIAN_NOISE = "gaussian-noise"
    SHOT_NOISE = "shot-noise"
    BLUR = "blur"
    JPEG = "jpeg"
    DOWNSCALING = "downscaling"
    ROTATION = "rotation"
    EYES = "eyes"
    MOUTH = "mouth"
    SQUARE = "square"
    MASK = "mask"


STRENGTHS: dict[Family, tuple[float, ...]] = {
    Family.DARKNESS: (0.8, 0.65, 0.5, 0.35, 0.25),
    Family.OVEREXPOSURE: (1.1, 1.2, 1.35, 1.5, 1.75),
    Family.CONTRAST: (0.75, 0.6, 0.45, 0.3, 0.15),
    Family.GAUSSIAN_NOISE: (5, 10, 15, 20, 25),
    Family.SHOT_NOISE: (500, 250, 120, 60, 30),
    Family.BLUR: (0.5, 0.75, 1.0, 1.5, 2.0),
    Family.JPEG: (80, 60, 40, 20, 10),
    Family.DOWNSCALING: (1.25, 1.5, 2.0, 3.0, 4.0),
    Family.ROTATION: (5, 10, 20, 30, 45),
    Family.EYES: (0.4, 0.6, 0.8, 1.0, 1.2),
    Family.MOUTH: (0.4, 0.6, 0.8, 1.0, 1.2),
    Family.SQUARE: (8, 12, 16, 20, 24),
    Family.MASK: (0.2, 0.4, 0.6, 0.8, 1.0),
}
"""Of each grade: gain (darkness, overexposure), share of contrast, codes, photons, px of 48, JPEG
quality, factor, degrees, share of the region's sides, px, share of the mask's height."""
