"""Intervals by resampling images, or people where they are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from dcrnet_edge.evaluation.predictions import Predictions

RESAMPLES = 1000
CONFIDENCE = 0.95

Interval = tuple[float, float]

SHARES: Interval = (0.0, 1.0)
"""Bounds of values such as right or wrong, or a map's share in a region."""
DIFFERENCES: Interval = (-1.0, 1.0)
"""Bounds of one such value less another."""

_ALIKE = 1e-12
"""By which means of equal values differ when they are added up in another order."""


def subject_numbers(predictions: Predictions) -> NDArray[np.int64] | None:
    """The number of each image's subject, (N,); see :func:`numbers_of`."""
    return numbers_of(predictions.subjects)


def numbers_of(subjects: Sequence[str]) -> NDArray[np.int64] | None:
    """Numbers in place of (N) names, (N,); None where images are to be resampled.

    That is where one is not known, or all are one. Images of one person are right or wrong
    together, so that a resample of images would make intervals that are too narrow.
    """
    names, numbers = np.unique(np.asarray(subjects, str), return_inverse=True)
    return numbers if len(names) > 1 and "" not in names else None


def mean_interval(
    values: NDArray[np.float64],
    subjects: NDArray[np.int64] | None,
    bounds: Interval = DIFFERENCES,
) -> Interval:
    """95 % interval of a mean, by resampling subjects where they are known, else images.

    Where all of them have one value every resample is alike, which is no certainty: the interval
    is :func:`interval_of_equals` then.

    Args:
        values: (N,) within ``bounds``.
        subjects: numbers of some or all subjects, as :func:`subject_numbers` gives them.
        bounds: the least and the largest that a value can be: :data:`DIFFERENCES` or
            :data:`SHARES`.
    """
    units = np.arange(len(values)) if subjects is None else subjects
    units = np.unique(units, return_inverse=True)[1]
    sums, counts = np.bincount(units, values).astype(float), np.bincount(units)
    if np.ptp(sums / counts) < _ALIKE:
        return interval_of_equals(float(values.mean()), len(sums), bounds)

    def mean(chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        if subjects is None:  # the same in half the time
            return values[chosen].mean(axis=-1)
        return sums[chosen].sum(axis=-1) / counts[chosen].sum(axis=-1)

    low, high = percentile_interval(mean, len(sums), 10 * RESAMPLES)
    return float(low), float(high)


def interval_of_equals(
    value: float, units: float, bounds: Interval, confidence: float = CONFIDENCE
) -> Interval:
    """What is known of a mean where all units have one value, and others were possible.

    The exact bound of Clopper and Pearson (1934): a share of the population of up to
    q = 1 - ((1 - confidence) / 2) ** (1 / units) may have another value, the least or the largest
    one. Of shares that are all 0 these are 0 to q, of differences that are all 0 -q to q.

    Args:
        value: of all of them.
        units: how many; a fraction where they are weighted.
        bounds: the least and the largest that a value can be.
        confidence: of the interval.
    """
    others = 1 - ((1 - confidence) / 2) ** (1 / units)
    low, high = min(bounds[0], value), max(bounds[1], value)
    return value - others * (value - low), value + others * (high - value)


def percentile_interval(
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]], units: int, resamples: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percentile interval of a statistic of chosen units, (..., units) indices."""
    result = bootstrap(
        (np.arange(units),),
        lambda chosen, axis: statistic(chosen),
        vectorized=True,
        n_resamples=resamples,
        batch=resamples // 10,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return np.asarray(result.low), np.asarray(result.high)
