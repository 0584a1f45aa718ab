"""What a paired test of few faces could show at most."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import bisect
from scipy.stats import binom

POWER = 0.8


def smallest_shown(images: int, lost: float, level: float, seeds: int = 1) -> float:
    """The least gain in recall that McNemar's exact tests of all seeds find with a power of 0.8.

    Args:
        images: of the label in Test.
        lost: share of them that the better one answers wrong and the other one right.
        level: of the test, two-sided, such as 0.05 divided by the number of tests.
        seeds: tests of other students, independent of each other.

    Returns:
        a fraction; NaN where not even the greatest gain would be found.
    """
    most, power = 1 - lost, POWER ** (1 / seeds)
    if most <= 0 or _power(images, lost, most, level) < power:
        return math.nan
    if _power(images, lost, 0.0, level) >= power:
        return 0.0
    return float(bisect(lambda gain: _power(images, lost, gain, level) - power, 0.0, most))


def _power(images: int, lost: float, gain: float, level: float) -> float:
    """The chance that the test rejects in favour of the better one, exactly.

    Of the images some number is answered differently, and of these some number is won; the rest
    of ``gain`` and ``lost`` is certain.
    """
    won = min(1 - lost, lost + gain)
    differ = won + lost
    if differ == 0:
        return 0.0
    numbers = np.arange(images + 1)
    needed = binom.isf(level / 2, numbers, 0.5) + 1
    shown = binom.sf(needed - 1, numbers, won / differ)
    return float((binom.pmf(numbers, images, differ) * shown).sum())
