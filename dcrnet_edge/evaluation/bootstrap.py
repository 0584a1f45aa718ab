"""Intervals by resampling images, or people where they are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from dcrnet_edge.evaluation.predictions import Predictions

RESAMPLES = 1000
CONFIDENCE = 0.95

Interval = tuple[float, float]


def subject_numbers(predictions: Predictions) -> NDArray[np.int64] | None:
    """The number of each image's subject, (N,); None where images are to be resampled.

    Images of one person are right or wrong together, so that a resample of images would make
    intervals that are too narrow.
    """
    names, numbers = np.unique(predictions.subjects, return_inverse=True)
    return numbers if len(names) > 1 and "" not in names else None


def mean_interval(values: NDArray[np.float64], subjects: NDArray[np.int64] | None) -> Interval:
    """Of the mean of (N,) values; ``subjects`` as :func:`subject_numbers` gives them."""
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    if subjects is None:
        low, high = percentile_interval(
            lambda chosen: values[chosen].mean(axis=-1), len(values), 10 * RESAMPLES
        )
    else:
        sums, counts = np.bincount(subjects, values), np.bincount(subjects)
        low, high = percentile_interval(
            lambda chosen: sums[chosen].sum(axis=-1) / counts[chosen].sum(axis=-1),
            len(sums),
            10 * RESAMPLES,
        )
    return float(low), float(high)


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
