"""How much slower one of two pieces of work is, from rounds in which both took a turn.

Rounds are paired, so that what slows a whole round cancels. Neighbouring rounds share the clock of
the moment: the interval is that of a circular block bootstrap (D. N. Politis, J. P. Romano: A
circular block-resampling procedure for stationary data, 1992), which no library here has; one that
drew single rounds would be too narrow.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 1000
_SEED = 0


def paired_ratio(
    times_ns: NDArray[np.int64], baseline_ns: NDArray[np.int64]
) -> tuple[float, tuple[float, float]]:
    """The median of the rounds' ratios, and its 95 % interval.

    Args:
        times_ns: (rounds,), at least one.
        baseline_ns: (rounds,), of the same rounds.
    """
    ratios = times_ns / baseline_ns
    count = len(ratios)
    block = max(1, isqrt(count))
    blocks = -(-count // block)
    random = np.random.default_rng(_SEED)
    within = np.arange(block)
    medians = []
    for _ in range(_RESAMPLES):
        starts = random.integers(0, count, blocks)
        drawn = (starts[:, None] + within).ravel()[:count] % count
        medians.append(np.median(ratios[drawn]))
    low, high = np.percentile(medians, (2.5, 97.5)).tolist()
    return float(np.median(ratios)), (low, high)
