"""Adaptive gamma correction (paper eq. 1)."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

_SHARES = np.arange(256, dtype=np.float64) / 255.0


def adaptive_gamma(luma: NDArray[np.uint8], low: float, high: float) -> float:
    """The exponent that brings the mean luminance to mid-grey, clipped to ``low..high``.

    gamma = ln 0.5 / ln(m / 255), m being the mean luma, clipped to 1..254.

    Args:
        luma: (H, W) uint8.
        low: smallest exponent (brightens).
        high: largest exponent (darkens).
    """
    mean = min(max(cv2.sumElems(luma)[0] / luma.size, 1.0), 254.0)
    return min(max(math.log(0.5) / math.log(mean / 255.0), low), high)


def gamma_table(gamma: float) -> NDArray[np.uint8]:
    """The (256,) uint8 look-up table of 255 (i / 255) ** gamma, rounded (eq. 1)."""
    return np.rint(255.0 * _SHARES**gamma).astype(np.uint8)
